"""What went wrong in the program itself: the log, reports of errors that nobody foresaw, and of crashes."""
