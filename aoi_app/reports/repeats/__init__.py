"""What repeats along a roll, or runs in one lane of it."""
