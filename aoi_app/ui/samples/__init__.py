"""The pages about samples."""
