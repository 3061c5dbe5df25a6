"""From regions of cells to defects with numbers and millimetres."""
