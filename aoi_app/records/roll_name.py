"""What a roll is called until somebody gives it another name."""

from __future__ import annotations

import secrets
import time


def new_roll_name() -> str:
    """A name that no other roll has: the time of day, for people, and four digits, for two rolls begun in one second,
    whichever programs began them. Names sort by time.
    """
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
