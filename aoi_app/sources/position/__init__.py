"""Where a camera's lines lie on the web."""
