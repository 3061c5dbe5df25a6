"""The label editor, and the types of defects."""
