"""Where frames come from. Knows nothing of inspection and windows."""
