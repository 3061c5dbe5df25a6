"""Frames in, defects and gaps out. No threads, no torch, no database."""
