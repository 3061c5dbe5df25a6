"""The response of every column, recorded, kept and taken out."""
