"""What an inspection finds, as values: defects, gaps, remarks, doubts, and what a person says of them."""
