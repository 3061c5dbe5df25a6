"""How the camera sees the cloth while a roll runs, and whether that has changed."""
