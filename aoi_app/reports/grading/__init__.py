"""Points for defects, and what a roll's points come to."""
