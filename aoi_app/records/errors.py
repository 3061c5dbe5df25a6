"""What goes wrong with the records."""

from __future__ import annotations

from cras_core.errors import CrasError


class RecordsError(CrasError):
    """The records cannot be read or written; the text says why and what to do."""
