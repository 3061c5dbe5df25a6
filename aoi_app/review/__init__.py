"""Defects of many rolls looked at together: found, judged many at once, taken back, likened to each other."""
