"""Other runtimes that run a trained detector."""
