"""What is shown of cameras and of the features of one of them, as one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aoi_app.background.state_holder import ServiceState
from aoi_app.camera_setup.feature_rows import DeviceRow, FeatureRow, Key


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CameraState(ServiceState):
    """
    Attributes:
        devices: cameras that were found.
        problems: what is wrong with producers, a sentence each.
        camera: name of the open camera; empty without one.
        is_on_line: the open camera is that of the running line.
        features: of the open camera.
        errors: why a feature could not be set, the last time it was tried.
        producer, serial, preset: the chosen camera, and the file that it is set to at the start.
    """

    devices: tuple[DeviceRow, ...] = ()
    problems: tuple[str, ...] = ()
    camera: str = ""
    is_on_line: bool = False
    features: tuple[FeatureRow, ...] = ()
    errors: Mapping[Key, str] = field(default_factory=dict)
    producer: str = ""
    serial: str = ""
    preset: str = ""

    @property
    def chosen(self) -> tuple[str, str, str]:
        """Producer, serial number and preset of the chosen camera."""
        return self.producer, self.serial, self.preset
