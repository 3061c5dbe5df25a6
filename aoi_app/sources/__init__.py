"""Where frames come from: folders, recordings, the loom, cameras."""
