"""The kinds of cameras: one row each. A new kind is a device (``device.CameraDevice``) and a row here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aoi_app.sources.camera.device import CameraConfig, CameraDevice, DeviceInfo, binding_missing
from aoi_app.sources.camera.synthetic import SYNTHETIC, SyntheticDevice, synthetic_info


@dataclass(frozen=True, slots=True)
class CameraKind:
    """One kind of camera.

    Attributes:
        name: of the kind of source; where no producer is needed, it also stands where the path of a producer stands.
        text: what it is, for help.
        open: makes the device; in the process of the camera. Raises CameraError.
        find: the cameras that there are, or that with a serial number; None where GenTL producers are asked.
    """

    name: str
    text: str
    open: Callable[[CameraConfig], CameraDevice]
    find: Callable[[str | None], Sequence[DeviceInfo]] | None = None


def _open_genicam(config: CameraConfig) -> CameraDevice:
    try:
        from aoi_app.sources.camera.genicam.device import GenicamDevice  # loads the binding, which not everybody has
    except ImportError as error:
        raise binding_missing(error) from error
    return GenicamDevice(config)


_GENICAM = CameraKind("genicam", "a camera", _open_genicam)

KINDS = (
    _GENICAM,
    CameraKind(SYNTHETIC, "the built-in camera", SyntheticDevice, lambda serial: (synthetic_info(serial),)),
)


def kind_of(producer: str) -> CameraKind:
    """The kind of the cameras of a producer: a kind's own name, or else the path of a GenTL producer."""
    return next((kind for kind in KINDS if kind.find is not None and kind.name == producer), _GENICAM)


def needs_producer(producer: str) -> bool:
    """Whether a GenTL producer is named, not a kind that does without one; empty names none."""
    return producer != "" and kind_of(producer).find is None


def found_without_producer() -> list[DeviceInfo]:
    """The cameras of all kinds that need no GenTL producer."""
    return [device for kind in KINDS if kind.find is not None for device in kind.find(None)]
