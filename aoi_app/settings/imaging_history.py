"""How cloth was seen over many rolls, kept for each camera: a folder with one JSON file for each."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, Field

from aoi_app.settings.strict_json import STRICT, ContentError, read_json
from cras_core.arrays import FloatArray
from cras_core.files import write_atomically
from cras_core.imaging.profile import FIGURES, Profile

_MOST_ROLLS = 500
"""Of a camera; older ones are forgotten."""

_Name = Annotated[str, Field(max_length=4096)]
_Figure = Annotated[float, Field(ge=-1e6, le=1e6)]
_Blocks = Annotated[tuple[_Figure | None, ...], Field(max_length=20_000)]
_Pixel = Annotated[int, Field(ge=0, le=10_000_000)]


class KeptProfile(BaseModel):
    """What later cloth of a fabric is compared with: how its first good metres were seen.

    Attributes:
        since: when, ISO 8601 with the offset from UTC.
        roll: on which.
        width_px, block_px: of a line, and of a block.
        brightness, contrast, focus, noise: of each block, as in ``Profile``; None where no cloth was.
    """

    model_config = STRICT

    since: Annotated[str, Field(max_length=40)]
    roll: _Name
    width_px: _Pixel
    block_px: Annotated[int, Field(ge=1, le=10_000_000)]
    brightness: _Blocks
    contrast: _Blocks
    focus: _Blocks
    noise: _Blocks

    @classmethod
    def of(cls, profile: Profile, since: str, roll: str, width_px: int, block_px: int) -> KeptProfile:
        """A profile to be kept."""
        values = {figure: _kept(profile.of(figure)) for figure in FIGURES}
        return cls(since=since, roll=roll, width_px=width_px, block_px=block_px, **values)

    @property
    def profile(self) -> Profile:
        """As it was measured."""
        return Profile(*(_array(getattr(self, figure)) for figure in FIGURES))

    def fits(self, width_px: int, block_px: int) -> bool:
        """Whether lines of this width can be compared with it."""
        blocks = -(-width_px // block_px)
        return (
            self.width_px == width_px
            and self.block_px == block_px
            and all(len(getattr(self, figure)) == blocks for figure in FIGURES)
        )


class KeptRoll(BaseModel):
    """How a roll was seen, the median over its metres.

    Attributes:
        ended: when it did, ISO 8601 with the offset from UTC.
        roll, fabric: which.
        metres: that were measured.
        brightness, contrast, focus, noise: as in ``Figures``.
    """

    model_config = STRICT

    ended: Annotated[str, Field(max_length=40)]
    roll: _Name
    fabric: _Name
    metres: Annotated[float, Field(ge=0, le=1e9)]
    brightness: _Figure
    contrast: _Figure
    focus: _Figure
    noise: _Figure


class KeptColumns(BaseModel):
    """Columns that stood out to the end of a roll.

    Attributes:
        first_px, end_px: of the picture.
        kind: as in ``OddColumns``.
        roll, since_m: where they were seen first.
        fabric: on which they were seen last.
        edge_px: where the left edge of the cloth was then; None where it was not in view.
        is_new: they came while a roll ran.
        is_camera: they are known not to be in the cloth.
    """

    model_config = STRICT

    first_px: _Pixel
    end_px: _Pixel
    kind: Literal["dark", "bright", "still"]
    roll: _Name
    since_m: Annotated[float, Field(ge=0, le=1e9)]
    fabric: _Name
    edge_px: _Figure | None
    is_new: bool
    is_camera: bool


class CameraImaging(BaseModel):
    """What is kept of one camera.

    Attributes:
        camera: its name.
        profiles: by fabric.
        rolls: the oldest first.
        columns: that stood out on its latest roll.
    """

    model_config = STRICT

    camera: _Name
    profiles: Annotated[dict[_Name, KeptProfile], Field(max_length=10_000)] = {}
    rolls: Annotated[tuple[KeptRoll, ...], Field(max_length=_MOST_ROLLS)] = ()
    columns: Annotated[tuple[KeptColumns, ...], Field(max_length=100)] = ()

    def with_roll(self, roll: KeptRoll) -> CameraImaging:
        """With one roll more."""
        return self.model_copy(update={"rolls": (*self.rolls, roll)[-_MOST_ROLLS:]})

    def with_profile(self, fabric: str, profile: KeptProfile) -> CameraImaging:
        """With another profile to compare a fabric with."""
        return self.model_copy(update={"profiles": {**self.profiles, fabric: profile}})

    def without_profile(self, fabric: str) -> CameraImaging:
        """The next good metres of the fabric are what later ones are compared with."""
        return self.model_copy(update={"profiles": {f: p for f, p in self.profiles.items() if f != fabric}})


class ImagingHistory:
    """What is kept of all cameras of this machine.

    Attributes:
        problems: sentences about files that could not be read or written; what they held begins anew.
    """

    def __init__(self, folder: Path | None) -> None:
        """``folder`` keeps it; None keeps nothing."""
        self._folder = folder
        self._unkept: dict[str, CameraImaging] = {}  # where there is no folder
        self.problems: list[str] = []

    @property
    def cameras(self) -> list[CameraImaging]:
        """All that are known, by name."""
        files = sorted(self._folder.glob("*.json")) if self._folder is not None else []
        read = [kept for path in files if (kept := self._read(path)) is not None]
        return sorted([*read, *self._unkept.values()], key=lambda kept: kept.camera)

    def of(self, camera: str) -> CameraImaging:
        """What is kept of a camera; nothing where it is new."""
        if self._folder is None:
            return self._unkept.get(camera, CameraImaging(camera=camera))
        kept = self._read(self._path(self._folder, camera))
        return kept if kept is not None else CameraImaging(camera=camera)

    def keep(self, imaging: CameraImaging) -> None:
        """Writes what is known of a camera now."""
        if self._folder is None:
            self._unkept[imaging.camera] = imaging
            return
        try:
            write_atomically(self._path(self._folder, imaging.camera), imaging.model_dump_json().encode())
        except OSError as error:
            self._say(f"How {imaging.camera} sees the cloth cannot be kept: {error.strerror or error}.")

    def _read(self, path: Path) -> CameraImaging | None:
        try:
            return read_json(path, CameraImaging)
        except FileNotFoundError:
            return None
        except (OSError, ContentError) as error:
            self._say(f"{path} cannot be used: {error}. How its camera sees the cloth is learnt anew.")
            return None

    def _say(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)

    @staticmethod
    def _path(folder: Path, camera: str) -> Path:
        # Names of cameras hold folders, addresses and more; the file says itself whose it is.
        return folder / f"{hashlib.sha256(camera.encode()).hexdigest()[:16]}.json"


def _kept(values: FloatArray) -> tuple[float | None, ...]:
    return tuple(round(v, 4) if math.isfinite(v) else None for v in values.tolist())


def _array(kept: tuple[float | None, ...]) -> FloatArray:
    return np.array([math.nan if v is None else v for v in kept], np.float32)
