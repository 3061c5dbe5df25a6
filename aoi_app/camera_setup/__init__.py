"""Find a camera, set it, focus it, record its flat field."""
