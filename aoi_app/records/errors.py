"""What goes wrong with the records."""

from __future__ import annotations


class RecordsError(Exception):
    """The records cannot be read or written; the text says why and what to do."""
