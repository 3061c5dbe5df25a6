"""The first cloth of a roll that teaches itself: held back until a model was made of it, and then inspected whole.

Nothing of it is passed over. What the camera delivers meanwhile is held as well, up to a bound; beyond it the queue
fills, and what the queue loses is told as ever.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from aoi_app.sources.frame import Frame, Lost
from cras_core.arrays import Image
from cras_core.errors import CrasError

if TYPE_CHECKING:
    from cras_core.detectors.trained import TrainedDetector

logger = logging.getLogger(__name__)

_MOST_BYTES = 512 << 20  # of lines that wait for their model; 60 m of a web 1.6 m wide are 2.4 GB, 13 m are this


@dataclass(frozen=True, slots=True)
class TaughtModel:
    """What became of the first cloth.

    Attributes:
        detector: the model with the cloth of this web; None where the one before goes on.
        identity: of its bundle; empty likewise.
        fabric: name that the model knows this cloth by; empty likewise.
        text: what there is to say of it, a sentence.
        file: its bundle; None where there is none.
    """

    detector: TrainedDetector | None
    identity: str
    fabric: str
    text: str
    file: Path | None = None


Teach = Callable[[Sequence[Image]], TaughtModel]
"""Makes a model of (lines, W) or (lines, W, 3) uint8 unbroken pieces of web; slow. Raises CrasError where it cannot."""


class FirstCloth:
    """A queue before the inspection, which gives nothing out before its model is made. Used by the inspecting thread
    alone; the teaching runs in a thread of its own.
    """

    def __init__(self, teach: Teach, lines: int) -> None:
        """
        Args:
            teach: makes the model.
            lines: of cloth that it is made of.
        """
        self._teach, self._wanted = teach, lines
        self._held: deque[Frame | Lost] = deque()
        self._lines = self._bytes = 0
        self._teacher: threading.Thread | None = None
        self._taught: TaughtModel | None = None
        self._is_given_out = False

    @property
    def is_over(self) -> bool:
        """The model was given out, and nothing is held any more."""
        return self._is_given_out and not self._held

    @property
    def waiting(self) -> tuple[Frame | Lost, ...]:
        """What is held, in its order."""
        return tuple(self._held)

    @property
    def is_full(self) -> bool:
        """Nothing more may be given to it now."""
        return self._bytes >= _MOST_BYTES

    @property
    def text(self) -> str:
        """How far it is, for a person; empty once the model was given out."""
        if self._is_given_out:
            return ""
        if self._teacher is not None:
            return "there is enough of it, and the model learns"
        return f"{self._lines / self._wanted:.0%} of what is needed has come"

    def hold(self, item: Frame | Lost) -> None:
        """Takes the next piece of web; begins to teach once there is enough, or no room for more."""
        self._held.append(item)
        if isinstance(item, Frame):
            self._bytes += item.image.nbytes
            self._lines += item.lines
        if self._lines >= self._wanted or self.is_full:  # nothing more would come of a full one
            self.end()

    def end(self) -> None:
        """What cloth there is has to do."""
        if self._teacher is None:
            pieces = pieces_of(self._held)
            self._teacher = threading.Thread(target=self._run, args=(pieces,), name="teach", daemon=True)
            self._teacher.start()

    def give_up(self) -> None:
        """The roll ends unseen: nobody waits for the model."""
        self._is_given_out = True

    def take_model(self, timeout_s: float) -> TaughtModel | None:
        """The model, once; None where it is not ready within the time, or was taken."""
        if self._is_given_out or self._teacher is None:
            return None
        self._teacher.join(timeout_s)
        if self._teacher.is_alive():
            return None
        self._is_given_out = True
        return self._taught

    def next(self) -> Frame | Lost | None:
        """The oldest piece that is held; None before the model was taken, or where nothing is held."""
        if not self._is_given_out or not self._held:
            return None
        item = self._held.popleft()
        if isinstance(item, Frame):
            self._bytes -= item.image.nbytes
        return item

    def _run(self, pieces: list[Image]) -> None:
        try:
            self._taught = self._teach(pieces)
        except CrasError as error:
            self._taught = TaughtModel(None, "", "", f"{_NOT_TAUGHT}: {error}")
        except Exception as error:  # the boundary of a thread: nothing above it would ever hear of it
            logger.exception("teaching the first cloth")
            self._taught = TaughtModel(None, "", "", f"{_NOT_TAUGHT} ({type(error).__name__}: {error})")


_NOT_TAUGHT = "this web could not teach the model, which goes on as it was"


def pieces_of(items: Iterable[Frame | Lost]) -> list[Image]:
    """The unbroken pieces of web among what a source has delivered."""
    pieces: list[list[Image]] = []
    is_broken = True
    for item in items:
        if isinstance(item, Lost):
            is_broken = True
            continue
        if is_broken or item.starts_web or item.image.shape[1:] != pieces[-1][-1].shape[1:]:
            pieces.append([])
        pieces[-1].append(item.image)
        is_broken = False
    return [np.concatenate(piece) if len(piece) > 1 else piece[0] for piece in pieces]
