"""Samples of cloth on disk, their labels, and the ways in and out."""
