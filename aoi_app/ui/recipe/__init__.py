"""The dialogs about a recipe."""
