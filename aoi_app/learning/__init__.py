"""Models: taught, evaluated, chosen."""
