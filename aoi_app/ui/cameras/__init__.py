"""The page about cameras: features, light and focus, flat field."""
