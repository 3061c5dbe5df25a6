"""What every part of the program's control stands on: who tells, who asks, what is set."""
