"""GenICam cameras through harvesters. Only this file and ``genicam_nodes`` import harvesters and genicam.

Runs only in child processes: the binding holds the interpreter's lock while it waits for a frame, producers hang and
crash, and none of that may reach the window.
"""

from __future__ import annotations

import logging
from collections import deque
from functools import partial
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
from genicam import genapi, gentl
from harvesters.core import Callback, Harvester, ImageAcquirer, ParameterKey, ParameterSet
from harvesters.util.pfnc import dict_by_ints

from aoi_app.camera.device import CameraConfig, CameraError, DeviceInfo, RawFrame
from aoi_app.camera.features import Feature, FeatureError, NodeMap, Setting
from aoi_app.camera.genicam_nodes import list_nodes, read_node, reason, write_node

_ACCESS = {1: "free", 2: "read only", 3: "not reachable", 4: "in use", 5: "in use", 6: "in use"}
_EVENT_WAIT_MS = 20
_IMAGE_PAYLOADS = {
    gentl.PAYLOADTYPE_INFO_IDS.PAYLOAD_TYPE_UNKNOWN,
    gentl.PAYLOADTYPE_INFO_IDS.PAYLOAD_TYPE_IMAGE,
    gentl.PAYLOADTYPE_INFO_IDS.PAYLOAD_TYPE_CHUNK_DATA,
}
_BIG_ENDIAN = 2
GENICAM_ERRORS = (gentl.GenericException, genapi.GenericException)


class _Heard(logging.Handler):
    """Keeps what harvesters only logs: why a producer or an interface cannot be opened."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.reasons: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self.reasons.append(reason(error) if error is not None else record.getMessage())
        del self.reasons[:-20]


class _Producer:
    """An open producer."""

    def __init__(self, path: str) -> None:
        self._heard = _Heard()
        logger = logging.getLogger("aoi_app.camera.harvesters")
        logger.propagate = False
        logger.handlers = [self._heard]
        self.harvester = Harvester(config=ParameterSet({ParameterKey.LOGGER: logger}))
        self.harvester.add_file(path)
        self.harvester.update()
        if not self.harvester.device_info_list and self._heard.reasons:
            raise CameraError(f"The producer {path} cannot be opened: {self._heard.reasons[-1]}.")
        self.devices = [_device_info(path, d) for d in self.harvester.device_info_list]


def list_devices(path: str) -> list[DeviceInfo]:
    """The cameras that a producer finds.

    Raises:
        CameraError: the producer cannot be opened.
    """
    producer = _Producer(path)
    try:
        return producer.devices
    finally:
        producer.harvester.reset()


class _CountsIncomplete(Callback):  # type: ignore[misc]  # harvesters has no types
    def __init__(self) -> None:
        self.count = 0

    def emit(self, context: object = None) -> None:  # noqa: ARG002 (the signature is harvesters')
        self.count += 1


class GenicamDevice:
    """A camera behind a GenTL producer."""

    def __init__(self, config: CameraConfig) -> None:
        self._config = config
        self._producer: _Producer | None = None
        self._acquirer: ImageAcquirer = None
        self._incomplete = _CountsIncomplete()
        self._maps: dict[NodeMap, Any] = {}
        self._fetched: deque[Any] = deque()
        self._runs = 0
        self._lacks: set[str] = set()
        self.info = DeviceInfo(config.producer, "", "", "", config.serial or "", "", "unknown")

    @property
    def incomplete(self) -> int:
        """Buffers since the start that came with pixels missing."""
        return self._incomplete.count

    def __enter__(self) -> GenicamDevice:
        self._producer = _Producer(self._config.producer)
        index = _choose(self._producer.devices, self._config)
        self.info = self._producer.devices[index]
        keys = ParameterKey
        options = {
            keys.NUM_BUFFERS_FOR_FETCH_CALL: self._config.buffers,
            keys.TIMEOUT_PERIOD_ON_UPDATE_EVENT_DATA_CALL: _EVENT_WAIT_MS,
        }
        try:
            self._acquirer = self._producer.harvester.create(index, config=ParameterSet(options))
        except GENICAM_ERRORS as error:
            self._producer.harvester.reset()
            raise _cannot_open(self.info, error) from error
        self._acquirer.add_callback(ImageAcquirer.Events.INCOMPLETE_BUFFER, self._incomplete)
        streams = self._acquirer.data_streams
        self._maps = {
            "system": self._acquirer.system.node_map,
            "interface": self._acquirer.interface.node_map,
            "device": self._acquirer.device.node_map,
            "stream": streams[0].node_map if streams else None,
            "remote": self._acquirer.remote_device.node_map,
        }
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._maps = {}
        if self._acquirer is not None:
            self._acquirer.destroy()
            self._acquirer = None
        if self._producer is not None:
            self._producer.harvester.reset()
            self._producer = None

    def list_features(self, node_map: NodeMap) -> list[Feature]:
        """All features of a node map; empty if there is no such node map."""
        nodes = self._maps.get(node_map)
        return [] if nodes is None else list_nodes(node_map, nodes)

    def feature(self, node_map: NodeMap, name: str) -> Feature:
        """One feature as it is now."""
        return read_node(node_map, self._nodes(node_map), name)

    def write(self, setting: Setting) -> Feature:
        """Sets a feature or executes a command."""
        return write_node(self._nodes(setting.node_map), setting)

    def start(self) -> None:
        """Announces the buffers and begins. MultiFrame is refused: it would allocate every frame at once."""
        remote = self._maps["remote"]
        try:
            mode = remote.AcquisitionMode.value if remote.has_node("AcquisitionMode") else "Continuous"
            if mode != "Continuous":
                raise CameraError("AcquisitionMode has to be Continuous: a web does not end after some frames.")
            self._incomplete.count = 0
            self._lacks.clear()
            self._acquirer.start()
        except GENICAM_ERRORS as error:
            raise CameraError(f"{self.info.name} does not start: {reason(error)}.") from error
        self._runs += 1

    def stop(self) -> None:
        """Ends it. Buffers that nobody fetched go back first; queueing one afterwards can crash a producer."""
        try:
            while self._fetched:
                self._queue(self._fetched.popleft(), self._runs)
            self._runs += 1
            self._acquirer.stop()
        except GENICAM_ERRORS as error:
            raise CameraError(f"{self.info.name} does not stop: {reason(error)}.") from error

    def fetch(self, timeout_s: float) -> RawFrame | None:
        """The next complete buffer."""
        try:
            if not self._fetched:
                found = self._acquirer.try_fetch(timeout=timeout_s, is_raw=True)
                self._fetched.extend(b for b in (found if isinstance(found, list) else [found]) if b is not None)
            return self._frame(self._fetched.popleft()) if self._fetched else None
        except GENICAM_ERRORS as error:
            raise CameraError(
                f"{self.info.name} cannot be read any more: {reason(error)}. Look at its cable and its power."
            ) from error

    def _frame(self, buffer: Any) -> RawFrame:
        payload, problem = self._ask(buffer, "payload_type"), ""
        if payload is not None and payload not in _IMAGE_PAYLOADS:
            name = gentl.PAYLOADTYPE_INFO_IDS(payload).name if payload < 12 else payload
            problem = f"{self.info.name} sends payloads of type {name}; only plain images can be read."
        lines = self._ask(buffer, "delivered_image_height") or self._ask(buffer, "height")
        width, code = self._ask(buffer, "width"), self._ask(buffer, "pixel_format")
        lines = int(lines or self._maps["remote"].Height.value)
        frame_id, timestamp_ns = self._ask(buffer, "frame_id"), self._ask(buffer, "timestamp_ns")
        data = np.frombuffer(buffer.raw_buffer, np.uint8)
        return RawFrame(
            data=data[self._ask(buffer, "image_offset") or 0 :],
            lines=lines,
            width_px=int(width or self._maps["remote"].Width.value),
            pixel_format=dict_by_ints.get(code) or str(self._maps["remote"].PixelFormat.value),
            padding_bytes=int(self._ask(buffer, "padding_x") or 0),
            big_endian=self._ask(buffer, "pixel_endianness") == _BIG_ENDIAN,
            frame_id=frame_id if frame_id is not None else self._chunk("ChunkFrameID"),
            timestamp_ns=timestamp_ns if timestamp_ns is not None else self._chunk("ChunkTimestamp"),
            encoder=self._encoder(lines),
            give_back=partial(self._queue, buffer, self._runs),
            problem=problem,
        )

    def _queue(self, buffer: Any, run: int) -> None:
        if run == self._runs:
            buffer.parent.queue_buffer(buffer)

    def _ask(self, buffer: Any, what: str) -> Any:
        """What a buffer may know; a producer that does not know it is not asked again until the next start."""
        if what in self._lacks:
            return None
        try:
            return getattr(buffer, what)
        except GENICAM_ERRORS:
            self._lacks.add(what)
            return None

    def _chunk(self, name: str) -> int | None:
        """A whole number out of the chunk data of the buffer that was fetched last."""
        if name in self._lacks:
            return None
        try:
            return int(self._maps["remote"].get_node(name).value)
        except GENICAM_ERRORS:
            self._lacks.add(name)
            return None

    def _encoder(self, lines: int) -> npt.NDArray[np.int64] | None:
        if self._config.encoder == "none" or "ChunkEncoderValue" in self._lacks:
            return None
        counts = []
        for line in range(lines if self._config.encoder == "each" else 1):
            if "ChunkScanLineSelector" not in self._lacks:
                try:
                    self._maps["remote"].get_node("ChunkScanLineSelector").value = line
                except GENICAM_ERRORS:
                    self._lacks.add("ChunkScanLineSelector")
            if line > 0 and "ChunkScanLineSelector" in self._lacks:
                break
            count = self._chunk("ChunkEncoderValue")
            if count is None:
                return None
            counts.append(count)
        return np.array(counts, np.int64)

    def _nodes(self, node_map: NodeMap) -> Any:
        nodes = self._maps.get(node_map)
        if nodes is None:
            raise FeatureError(f"{self.info.name} has no node map {node_map}.")
        return nodes


def _choose(devices: list[DeviceInfo], config: CameraConfig) -> int:
    """The place of the wanted camera in the producer's list."""
    if not devices:
        raise CameraError(
            f"The producer {config.producer} finds no camera. Look at power and cable, and whether its maker's own "
            "viewer sees it."
        )
    if config.serial is None:
        return 0
    for index, device in enumerate(devices):
        if config.serial in {device.serial, device.id}:
            return index
    found = ", ".join(f"{d.serial} ({d.model})" for d in devices)
    raise CameraError(f"{config.producer} finds no camera with the serial number {config.serial}. It finds {found}.")


def _cannot_open(info: DeviceInfo, error: BaseException) -> CameraError:
    if isinstance(error, gentl.ResourceInUseException | gentl.BusyException):
        return CameraError(f"{info.name} is in use: another program has it open. Close that first.", in_use=True)
    if isinstance(error, gentl.AccessDeniedException):
        return CameraError(
            f"{info.name} cannot be opened: access denied. Either another program has it, or this user may not use "
            "the device (on Linux, the maker's udev rules or network settings are missing).",
            in_use=True,
        )
    return CameraError(f"{info.name} cannot be opened: {reason(error)}.")


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
