"""Where the program keeps things."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_config_path, user_data_path, user_log_path

APP = "aoi"


def settings_path() -> Path:
    """Where the settings are kept."""
    return user_config_path(APP) / "settings.json"


def data_folder() -> Path:
    """Where everything is kept that the program makes: records, samples, models."""
    return user_data_path(APP)


def records_path() -> Path:
    """Where rolls are recorded, unless the settings name another database."""
    return user_data_path(APP) / "records.db"


def tiles_folder() -> Path:
    """Where tiles of the latest rolls are kept for export."""
    return user_data_path(APP) / "tiles"


def recipes_folder() -> Path:
    """Where the recipes of fabrics are kept."""
    return user_config_path(APP) / "recipes"


def tails_folder() -> Path:
    """Where it is kept what good cloth of each fabric scores on this line."""
    return user_data_path(APP) / "tails"


def imaging_folder() -> Path:
    """Where it is kept how bright and how sharp each camera of this line has seen the cloth."""
    return user_data_path(APP) / "imaging"


def library_folder() -> Path:
    """Where samples of the fabrics are kept that models are taught with."""
    return user_data_path(APP) / "library"


def defect_types_path() -> Path:
    """Where the types of defects that the mill tells apart are kept. The file has its name from version 0.1."""
    return user_config_path(APP) / "catalogue.json"


def work_order_path() -> Path:
    """Where the work order that was used last is kept."""
    return user_config_path(APP) / "work-order.json"


def flat_fields_folder() -> Path:
    """Where the flat fields of cameras are kept."""
    return user_data_path(APP) / "flat-fields"


def self_taught_folder() -> Path:
    """Where the models are kept that the first cloth of a roll has taught; the latest of them."""
    return user_data_path(APP) / "self-taught"


def models_folder() -> Path:
    """Where the history of models is kept."""
    return user_data_path(APP) / "models"


def log_path() -> Path:
    """Where the program writes what it cannot show."""
    return user_log_path(APP) / "aoi.log"
