"""The page on which defects of all rolls are judged."""
