"""The settings of a detector."""
