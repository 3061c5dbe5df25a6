"""Methods and ablations side by side."""
