"""The page of rolls: all that were recorded, each with its map, its defects and its report."""
