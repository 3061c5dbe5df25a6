"""What many rolls have in common."""
