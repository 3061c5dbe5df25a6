"""What a roll is called until somebody gives it another name."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

from sqlalchemy import Engine, select

from aoi_app.records.database import read_session
from aoi_app.records.tables import RollRow


def new_roll_name(engine: Engine, folder: Path | None = None) -> str:
    """A name that no other roll has: the time of day, for people, and eight digits, for two rolls begun in one second,
    whichever programs began them. Names sort by time; one that is taken, because the clock was set back, is not given
    again.

    Args:
        engine: the records, whose rolls have names.
        folder: with a folder for the pictures of each roll; None where there is none.

    Raises:
        RecordsError: the records cannot be read.
    """
    while True:
        name = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}"
        with read_session(engine) as session:
            is_taken = session.scalar(select(RollRow.id).where(RollRow.name == name).limit(1)) is not None
        if not is_taken and (folder is None or not (folder / name).exists()):
            return name
