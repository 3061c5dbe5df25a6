"""The version of the program, as bundles and reports tell it."""

__version__ = "0.1.0"
