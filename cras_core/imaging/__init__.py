"""How well cloth is seen: brightness, contrast, focus and noise of its picture, and what changes of them."""
