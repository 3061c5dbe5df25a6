"""From which score a place is a defect, on this roll."""
