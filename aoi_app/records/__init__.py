"""What is kept of a roll: the database, and what is exported from it. Knows nothing of windows and cameras."""
