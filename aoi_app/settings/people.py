"""Who works at this machine."""

from __future__ import annotations

import getpass


def user_name() -> str:
    """The name of the user of this machine."""
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):  # a number without a name, as in some containers
        return "nameless user"
