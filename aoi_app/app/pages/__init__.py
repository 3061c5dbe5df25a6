"""The pages: each is connected here with what it shows."""
