"""Detectors: patch features in, scores out."""
