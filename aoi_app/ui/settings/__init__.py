"""The page of settings: recipes, looks, places; and the dialog that measures the scale."""
