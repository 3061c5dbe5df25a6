"""A report as pages: fonts, drawings, tables, and the document that they make."""
