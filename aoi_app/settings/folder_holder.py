"""Who works in a folder or with a device: one program holds it, another is told which."""

from __future__ import annotations

import logging
import os
import socket
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

from filelock import FileLock, Timeout
from pydantic import BaseModel, Field

from aoi_app.settings.strict_json import STRICT, ContentError, read_json
from cras_core.files import write_atomically
from cras_core.messages import printable

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Holder:
    """A program that holds something.

    Attributes:
        pid: its process; 0 where it has not said.
        host: the computer that it runs on; empty likewise.
        since: when it took it, of its clock; empty likewise.
    """

    pid: int = 0
    host: str = ""
    since: str = ""

    def __str__(self) -> str:
        if not self.pid:
            return "another program"
        where = "" if self.host == socket.gethostname() else f" on {self.host}"
        return f"process {self.pid}{where}, since {self.since}"


class _Note(BaseModel):
    """What a holder writes beside the lock."""

    model_config = STRICT

    pid: Annotated[int, Field(ge=1, lt=2**31)]
    host: Annotated[str, Field(max_length=255)]
    since: Annotated[str, Field(max_length=40)]


class Hold:
    """A lock of the operating system, which goes with the process that holds it, however that ends; beside it a file
    that says who that is.
    """

    def __init__(self, folder: Path, name: str) -> None:
        """
        Args:
            folder: where both files lie.
            name: of both, without ending.
        """
        self._lock = FileLock(folder / f"{name}.lock")
        self._note = folder / f"{name}.json"

    def take(self) -> Holder | None:
        """Holds it from now on; who does already, where that is another one. A folder that cannot be written is held by
        nobody: the records, which lie there too, say why that is bad.
        """
        try:
            self._note.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout:
            return self._holder()
        except OSError as error:
            logger.warning("who works in %s cannot be told: %s", self._note.parent, error)
            return None
        since = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")
        me = _Note(pid=os.getpid(), host=socket.gethostname(), since=since)
        try:
            write_atomically(self._note, me.model_dump_json().encode())
        except OSError as error:
            logger.warning("%s cannot be written: %s", self._note, error)
        return None

    def give_back(self) -> None:
        """Holds it no longer."""
        self._lock.release()

    def _holder(self) -> Holder:
        try:
            told = read_json(self._note, _Note)
        except (OSError, ContentError):  # it writes it just now, or somebody has damaged it
            return Holder()
        return Holder(told.pid, printable(told.host)[:100], printable(told.since))
