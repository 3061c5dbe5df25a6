"""The window. It draws what it is given and announces what the person asks for; it decides nothing."""
