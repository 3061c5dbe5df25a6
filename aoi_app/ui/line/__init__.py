"""The page of the operator: the running web, its figures and its defects."""
