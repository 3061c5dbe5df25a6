"""Cameras behind GenTL producers; imported in child processes only."""
