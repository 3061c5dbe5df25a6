"""One thread that does jobs in order, and what makes room for the running line."""
