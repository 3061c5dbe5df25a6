"""What a camera delivered, on disk and back."""
