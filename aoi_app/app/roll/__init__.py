"""The roll that runs: its model, recipe, order and source, and how it begins and ends."""
