"""What a mill configures: recipes, types of defects, folders, scale."""
