"""The report of one roll: its value, and the files that are made of it."""
