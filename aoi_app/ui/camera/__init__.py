"""The pages about cameras."""
