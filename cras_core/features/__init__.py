"""From tiles to patch features: backbone, aggregation, cache."""
