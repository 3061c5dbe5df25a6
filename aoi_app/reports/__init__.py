"""What a roll comes to: its grade, where to cut it, its report, and what many rolls have in common."""
