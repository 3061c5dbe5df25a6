"""The model file, and the history of models."""
