"""What was learnt of the scores of good cloth, kept over rolls: a folder with one JSON file for each fabric."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import numpy as np
from pydantic import BaseModel, Field

from aoi_app.settings.strict_json import STRICT, ContentError, read_json
from cras_core.files import write_atomically
from cras_core.web.running_tail import RunningTail

_Count = Annotated[float, Field(ge=0, le=1e12)]


class _Kept(BaseModel):
    model_config = STRICT

    fabric: str
    model: str
    area_m2: _Count
    counts: Annotated[tuple[_Count, ...], Field(min_length=700, max_length=700)]


class RunningTails:
    """The tails of the fabrics of one line.

    Attributes:
        problems: sentences about files that could not be read or written; what was learnt begins anew there.
    """

    def __init__(self, folder: Path | None) -> None:
        """``folder`` keeps them; None keeps nothing."""
        self._folder = folder
        self._tails: dict[str, RunningTail] = {}
        self.problems: list[str] = []

    def of(self, fabric: str) -> RunningTail:
        """That of a fabric; an empty one where nothing was learnt."""
        if fabric not in self._tails:
            self._tails[fabric] = self._load(fabric)
        return self._tails[fabric]

    def keep(self) -> None:
        """Writes those that were asked for."""
        if self._folder is None:
            return
        for fabric, tail in self._tails.items():
            kept = _Kept(
                fabric=fabric, model=tail.model, area_m2=tail.area_m2, counts=tuple(np.round(tail.counts, 3).tolist())
            )
            try:
                write_atomically(self._path(self._folder, fabric), kept.model_dump_json().encode())
            except OSError as error:
                self._say(f"What was learnt of the scores of {fabric} cannot be kept: {error.strerror or error}.")

    def _load(self, fabric: str) -> RunningTail:
        if self._folder is None:
            return RunningTail()
        path = self._path(self._folder, fabric)
        try:
            kept = read_json(path, _Kept)
        except FileNotFoundError:
            return RunningTail()
        except (OSError, ContentError) as error:
            self._say(f"{path} cannot be used: {error}. What good {fabric} scores is learnt anew.")
            return RunningTail()
        return RunningTail(kept.model, kept.area_m2, np.array(kept.counts))

    def _say(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)

    @staticmethod
    def _path(folder: Path, fabric: str) -> Path:
        return folder / f"{quote(fabric, safe=' ')}.json"
