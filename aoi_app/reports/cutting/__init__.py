"""Where to cut a roll."""
