"""Opens producers and tells their cameras apart. Runs only in child processes, see ``genicam``."""

from __future__ import annotations

import logging
from typing import Any

from genicam import genapi, gentl
from harvesters.core import Harvester, ParameterKey, ParameterSet

from aoi_app.sources.camera.device import CameraConfig, CameraError, DeviceInfo
from aoi_app.sources.camera.genicam.nodes import reason_of

GENICAM_ERRORS = (gentl.GenericException, genapi.GenericException)
# DEVICE_ACCESS_STATUS of the GenTL standard; 4 to 6 are ways of being in use.
_ACCESS = {1: "free", 2: "read only", 3: "not reachable", 4: "in use", 5: "in use", 6: "in use"}


class _Heard(logging.Handler):
    """Keeps what harvesters only logs: why a producer or an interface cannot be opened."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.reasons: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self.reasons.append(reason_of(error) if error is not None else record.getMessage())
        del self.reasons[:-20]


class Producer:
    """An open producer."""

    def __init__(self, path: str) -> None:
        self._heard = _Heard()
        logger = logging.getLogger("aoi_app.camera.harvesters")
        logger.propagate = False  # what harvesters logs at length is told in one sentence, or not at all
        logger.handlers = [self._heard]
        self.harvester = Harvester(config=ParameterSet({ParameterKey.LOGGER: logger}))
        self.harvester.add_file(path)
        self.harvester.update()  # closes every camera that this harvester has open, so it is called once, before any is
        # A producer that cannot be opened is only logged; the list is empty, as with one that finds no camera.
        if not self.harvester.device_info_list and self._heard.reasons:
            raise CameraError(
                "producer-cannot-open",
                "The producer {path} cannot be opened: {reason}.",
                path=path,
                reason=self._heard.reasons[-1],
            )
        self.devices = [_device_info(path, d) for d in self.harvester.device_info_list]


def list_devices(path: str) -> list[DeviceInfo]:
    """The cameras that a producer finds.

    Raises:
        CameraError: the producer cannot be opened.
    """
    producer = Producer(path)
    try:
        return producer.devices
    finally:
        producer.harvester.reset()


def choose_device(devices: list[DeviceInfo], config: CameraConfig) -> int:
    """The place of the wanted camera in the producer's list."""
    if not devices:
        raise CameraError(
            "producer-finds-no-camera",
            "The producer {producer} finds no camera. Look at power and cable, and whether its maker's own viewer "
            "sees it.",
            producer=config.producer,
        )
    if config.serial is None:
        return 0
    for index, device in enumerate(devices):
        if config.serial in {device.serial, device.id}:
            return index
    raise CameraError(
        "producer-lacks-serial",
        "{producer} finds no camera with the serial number {serial}. It finds {found}.",
        producer=config.producer,
        serial=config.serial,
        found=[f"{d.serial} ({d.model})" for d in devices],
    )


def cannot_open(info: DeviceInfo, error: BaseException) -> CameraError:
    """The error that says why a camera cannot be opened, and whether another program has it."""
    if isinstance(error, gentl.ResourceInUseException | gentl.BusyException):
        return CameraError(
            "camera-in-use",
            "{camera} is in use: another program has it open. Close that first.",
            camera=info.name,
            in_use=True,
        )
    # Producers answer "access denied" for both, and which it was is not to be known.
    if isinstance(error, gentl.AccessDeniedException):
        return CameraError(
            "camera-access-denied",
            "{camera} cannot be opened: access denied. Either another program has it, or this user may not use the "
            "device (on Linux, the maker's udev rules or network settings are missing).",
            camera=info.name,
            in_use=True,
        )
    return CameraError(
        "camera-cannot-open", "{camera} cannot be opened: {reason}.", camera=info.name, reason=reason_of(error)
    )


def _device_info(path: str, device: Any) -> DeviceInfo:
    def text(name: str) -> str:
        try:
            return str(getattr(device, name) or "")
        except GENICAM_ERRORS:
            return ""

    try:
        access = _ACCESS.get(int(device.access_status), "unknown")
    except GENICAM_ERRORS:
        access = "unknown"
    return DeviceInfo(
        producer=path,
        id=text("id_"),
        vendor=text("vendor"),
        model=text("model"),
        serial=text("serial_number"),
        transport=text("tl_type"),
        access=access,
        user_name=text("user_defined_name"),
    )
