"""What goes wrong with reports."""

from __future__ import annotations

from cras_core.errors import CrasError


class ReportError(CrasError):
    """A report, a cut plan or a statistic cannot be made; the text says why and what to do."""
