"""CRAS: centre-aware residual anomaly synthesis."""
