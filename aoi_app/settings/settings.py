"""What the program remembers between two starts."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Literal

from platformdirs import user_config_path, user_data_path, user_log_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aoi_app.settings.recipe import describe
from cras_core.files import write_atomically

logger = logging.getLogger(__name__)

APP = "aoi"


class CameraChoice(BaseModel):
    """The camera of this machine's line, found again by its serial number."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    producer: str = ""
    """Its GenTL producer, the path of a .cti; empty looks in all that are known."""
    serial: str = ""
    """Its serial number, or its id where it has none; empty takes the first camera found."""
    preset: str = ""
    """File of features that it is set to at the start; empty leaves it as it is."""
    mm_per_count: float | None = None
    """Web per count of the encoder, millimetres, negative where it counts down; None leaves the encoder out."""


class Learning(BaseModel):
    """What becomes of models that are learnt."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    promote_unless_worse: bool = False
    """A new model goes to the line by itself where the comparison finds nothing that got worse."""
    most_models: Annotated[int, Field(ge=2)] = 20
    """So many are kept; the one in use, the one to go back to and pinned ones are kept in any case."""
    most_gb: Annotated[float, Field(gt=0)] = 5.0
    """And so many gigabytes of them."""


class Settings(BaseModel):
    """Settings of this machine and user; a line's own settings are in its recipe."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    database: str | None = None
    """Where rolls are recorded, a SQLAlchemy URL; None is a SQLite file in the user's data folder."""
    theme: Literal["dark", "light"] = "dark"
    heat_opacity: float = 0.6
    last_folder: str = ""
    last_bundle: str = ""
    camera: CameraChoice = CameraChoice()
    learning: Learning = Learning()

    @property
    def database_url(self) -> str:
        """The URL that holds."""
        return self.database or f"sqlite:///{user_data_path(APP) / 'records.db'}"


def settings_path() -> Path:
    """Where the settings are kept."""
    return user_config_path(APP) / "settings.json"


def tiles_folder() -> Path:
    """Where tiles of the latest rolls are kept for export."""
    return user_data_path(APP) / "tiles"


def recipes_folder() -> Path:
    """Where the recipes of fabrics are kept."""
    return user_config_path(APP) / "recipes"


def library_folder() -> Path:
    """Where samples of the fabrics are kept that models are taught with."""
    return user_data_path(APP) / "library"


def catalogue_path() -> Path:
    """Where the catalogue of the mill's faults is kept."""
    return user_config_path(APP) / "catalogue.json"


def flat_fields_folder() -> Path:
    """Where the flat fields of cameras are kept."""
    return user_data_path(APP) / "flat-fields"


def models_folder() -> Path:
    """Where the history of models is kept."""
    return user_data_path(APP) / "models"


def log_path() -> Path:
    """Where the program writes what it cannot show."""
    return user_log_path(APP) / "aoi.log"


def load_settings(path: Path | None = None) -> tuple[Settings, str | None]:
    """The settings and, where the file could not be used, a sentence about it; a bad file never blocks the start."""
    path = path or settings_path()
    if not path.exists():
        return Settings(), None
    try:
        return Settings.model_validate_json(path.read_text(encoding="utf-8")), None
    except (OSError, UnicodeDecodeError) as error:
        return Settings(), f"The settings {path} cannot be read ({error}); the standard ones are used."
    except ValidationError as error:
        return Settings(), f"The settings {path} are not valid ({describe(error)}); the standard ones are used."


def save_settings(settings: Settings, path: Path | None = None) -> None:
    """Keeps the settings; a failure is logged and changes nothing."""
    path = path or settings_path()
    try:
        write_atomically(path, settings.model_dump_json(indent=1).encode())
    except OSError as error:
        logger.warning("the settings cannot be saved to %s: %s", path, error)
