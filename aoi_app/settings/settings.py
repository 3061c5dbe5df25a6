"""What the program remembers between two starts."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from aoi_app.settings.calibration import CalibrationLimits
from aoi_app.settings.folders import settings_path
from aoi_app.settings.strict_json import TOLERANT, ContentError, read_json
from cras_core.files import write_atomically
from cras_core.imaging.drift import DriftLimits

logger = logging.getLogger(__name__)

Path_ = Annotated[str, Field(max_length=4096)]
"""A path or an address, as text; the longest path that Linux takes."""


_Percent = Annotated[float, Field(gt=0, le=1000)]


class CameraChoice(BaseModel):
    """The camera of this machine's line, found again by its serial number."""

    model_config = TOLERANT

    producer: Path_ = ""
    """Its GenTL producer, the path of a .cti; empty looks in all that are known."""
    serial: Annotated[str, Field(max_length=200)] = ""
    """Its serial number, or its id where it has none; empty takes the first camera found."""
    preset: Path_ = ""
    """File of features that it is set to at the start; empty leaves it as it is."""
    mm_per_count: Annotated[float, Field(ge=-1000, le=1000)] | None = None
    """Web per count of the encoder, millimetres, negative where it counts down; None leaves the encoder out."""


class Learning(BaseModel):
    """What becomes of models that are learnt."""

    model_config = TOLERANT

    promote_unless_worse: bool = False
    """A new model goes to the line by itself where the comparison finds nothing that got worse."""
    most_models: Annotated[int, Field(ge=2, le=100_000)] = 20
    """So many are kept; the one in use, the one to go back to and pinned ones are kept in any case."""
    most_gb: Annotated[float, Field(gt=0, le=1e6)] = 5.0
    """And so many gigabytes of them."""
    more_folder: Path_ = ""
    """With pictures of further fabrics for full trainings; empty without."""


class Mill(BaseModel):
    """Who writes the reports."""

    model_config = TOLERANT

    name: Annotated[str, Field(max_length=200)] = ""
    address: Annotated[str, Field(max_length=1000)] = ""
    """Lines of an address."""
    logo: Path_ = ""
    """File of a picture for the head of a report; empty without."""


class Drift(BaseModel):
    """From which change on the picture of the cloth counts as changed, per cent; see ``DriftLimits``."""

    model_config = TOLERANT

    brightness_percent: _Percent = 20.0
    contrast_percent: _Percent = 25.0
    focus_percent: _Percent = 20.0
    noise_percent: _Percent = 30.0

    @property
    def limits(self) -> DriftLimits:
        """For the inspection."""
        return DriftLimits(**self.model_dump())


class Pictures(BaseModel):
    """How long pictures beside the records are kept; the records, with a small picture of each defect, always are."""

    model_config = TOLERANT

    unreviewed_days: Annotated[float, Field(gt=0, le=100_000)] = 90.0
    """Of defects that nobody has confirmed, and of good cloth."""
    reviewed_days: Annotated[float, Field(gt=0, le=100_000)] = 730.0
    """Of confirmed defects."""
    most_gb: Annotated[float, Field(gt=0, le=1e6)] = 20.0
    """So much of them; then the oldest that nobody has reviewed go first."""
    free_gb: Annotated[float, Field(ge=0, le=1e6)] = 2.0
    """And so much is left free on their disk, for records."""


class Settings(BaseModel):
    """Settings of this machine and user; a line's own settings are in its recipe."""

    model_config = TOLERANT

    database: Path_ | None = None
    """Where rolls are recorded, a SQLAlchemy URL; None is the file of ``folders.records_path``."""
    theme: Literal["dark", "light"] = "dark"
    heat_opacity: Annotated[float, Field(ge=0, le=1)] = 0.6
    """Of the anomaly map over the cloth, 0..1."""
    alarm_sound: bool = True
    """An alarm that nobody has seen is heard every two seconds."""
    defect_sound: bool = False
    """A defect is heard when it is found."""
    asks_work_order: bool = False
    """The work order is asked for before each roll."""
    last_folder: Path_ = ""
    last_bundle: Path_ = ""
    last_export: Path_ = ""
    """The folder in which the folders of exported rolls are made."""
    separate_pictures: dict[Path_, bool] = {}
    """Of folders that were opened: whether their pictures are webs of their own, or one web."""
    camera: CameraChoice = CameraChoice()
    calibrated: dict[Literal["scale", "encoder"], Annotated[str, Field(max_length=40)]] = {}
    """When the scale and the encoder were measured, ISO 8601."""
    calibration_days: CalibrationLimits = CalibrationLimits()
    """After which the line says that a calibration is old."""
    drift: Drift = Drift()
    gpu_was_used: bool = False
    """The model ran on a GPU when it was loaded last; without one now the line says so."""
    learning: Learning = Learning()
    mill: Mill = Mill()
    pictures: Pictures = Pictures()
    shifts: Annotated[tuple[Annotated[int, Field(ge=0, le=23)], ...], Field(max_length=24)] = (6, 14, 22)
    """Hours at which a shift begins, for statistics."""


def load_settings(path: Path | None = None) -> tuple[Settings, str | None]:
    """The settings and, where the file could not be used, a sentence about it; a bad file never blocks the start."""
    path = path or settings_path()
    if not path.exists():
        return Settings(), None
    try:
        return read_json(path, Settings), None
    except OSError as error:
        return Settings(), f"The settings {path} cannot be read ({error}); the standard ones are used."
    except ContentError as error:
        return Settings(), f"The settings {path} are not valid ({error}); the standard ones are used."


def save_settings(settings: Settings, path: Path | None = None) -> None:
    """Keeps the settings; a failure is logged and changes nothing."""
    path = path or settings_path()
    try:
        write_atomically(path, settings.model_dump_json(indent=1).encode())
    except OSError as error:
        logger.warning("the settings cannot be saved to %s: %s", path, error)
