"""Files that come with the program: the demo bundle, the standard recipe, the icon."""

from __future__ import annotations

from pathlib import Path


def asset(name: str) -> Path:
    """The path of a file from ``resources/``, in an installed program as well as in a checkout."""
    here = Path(__file__).parents[1]
    installed = here / "resources" / name
    return installed if installed.exists() else here.parent / "resources" / name
