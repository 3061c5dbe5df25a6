"""The camera of a line, found and set up as it was chosen, and what a flat field of it holds for."""

from __future__ import annotations

from pathlib import Path

from aoi_app.sources.acquisition.blocks import CameraBlocks
from aoi_app.sources.camera.device import CameraConfig
from aoi_app.sources.camera.discovery import find_camera
from aoi_app.sources.camera.features import FeatureError
from aoi_app.sources.camera.presets import load_preset
from aoi_app.sources.flat_field.correction import CameraSetup


def config_of(producer: str = "", serial: str = "", preset: str = "") -> CameraConfig:
    """How a chosen camera is read. Slow: producers are asked.

    Args:
        producer: its .cti, a folder of them, or ``synthetic``; empty looks in all that are known.
        serial: its serial number; empty takes the first camera.
        preset: file of features that it is set to; empty leaves it as it is.

    Raises:
        SourceError: there is no such camera or preset.
    """
    settings = load_preset(Path(preset)).settings if preset else ()
    device = find_camera(serial or None, [producer] if producer else [])
    # A producer's own id where the camera has no serial number, as simulated ones.
    return CameraConfig(device.producer, device.serial or device.id, settings)


def setup_of(camera: CameraBlocks) -> CameraSetup:
    """What a flat field of an open camera holds for. Raises CameraError."""
    assert camera.info is not None
    number = camera.info.serial or camera.info.id
    return CameraSetup(number, _number(camera, "ExposureTime"), _number(camera, "Gain"))


def _number(camera: CameraBlocks, name: str) -> float | None:
    try:
        value = camera.feature("remote", name).value
    except FeatureError:  # many cameras have no such feature, which is what None says
        return None
    return float(value) if isinstance(value, int | float) else None
