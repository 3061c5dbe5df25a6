"""What tells whether a camera works: check, benchmark, focus."""
