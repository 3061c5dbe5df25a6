"""How well a model detects."""
