"""GenICam cameras through harvesters. Only the files ``genicam*`` import harvesters and genicam.

Runs only in child processes: the binding holds the interpreter's lock while it waits for a frame, producers hang and
crash, and none of that may reach the window.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
from genicam import genapi, gentl
from harvesters.core import Callback, ImageAcquirer, ParameterKey, ParameterSet
from harvesters.util.pfnc import dict_by_ints

from aoi_app.sources.camera.device import CameraConfig, CameraError, DeviceInfo, RawFrame
from aoi_app.sources.camera.features import Feature, FeatureError, NodeMap, Setting
from aoi_app.sources.camera.genicam.nodes import list_nodes, read_node, reason_of, write_node
from aoi_app.sources.camera.genicam.producer import GENICAM_ERRORS, Producer, cannot_open, choose_device
from aoi_app.sources.camera.told_values import ToldValues

_EVENT_WAIT_MS = 20  # harvesters counts in milliseconds; fetch in seconds
_IMAGE_PAYLOADS = {
    gentl.PAYLOADTYPE_INFO_IDS.PAYLOAD_TYPE_UNKNOWN,
    gentl.PAYLOADTYPE_INFO_IDS.PAYLOAD_TYPE_IMAGE,
    gentl.PAYLOADTYPE_INFO_IDS.PAYLOAD_TYPE_CHUNK_DATA,
}
_BIG_ENDIAN = 2  # PIXELENDIANNESS_BIG of the GenTL standard
_FEWEST_BUFFERS = 8  # fewer would lose cloth in a stall of some hundredths of a second
_BUFFERS_BYTES = 2**28  # of all of them together


class _CountsIncomplete(Callback):  # type: ignore[misc]  # harvesters has no types
    def __init__(self) -> None:
        self.count = 0

    def emit(self, context: object = None) -> None:  # noqa: ARG002 (the signature is harvesters')
        self.count += 1


class GenicamDevice:
    """A camera behind a GenTL producer."""

    def __init__(self, config: CameraConfig) -> None:
        self._config = config
        self._producer: Producer | None = None
        self._acquirer: ImageAcquirer = None
        self._incomplete = _CountsIncomplete()
        self._maps: dict[NodeMap, Any] = {}
        self._fetched: deque[Any] = deque()  # one call may bring several buffers; each is delivered by itself
        self._runs = 0  # a buffer of a run before must not be queued any more
        self._told = ToldValues()
        self.info = DeviceInfo(config.producer, "", "", "", config.serial or "", "", "unknown")

    @property
    def incomplete(self) -> int:
        """Buffers since the start that came with pixels missing."""
        return self._incomplete.count

    def __enter__(self) -> GenicamDevice:
        self._producer = Producer(self._config.producer)
        index = choose_device(self._producer.devices, self._config)
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
            raise cannot_open(self.info, error) from error
        # Incomplete buffers are requeued by harvesters without a word; this is the only trace of them.
        self._acquirer.add_callback(ImageAcquirer.Events.INCOMPLETE_BUFFER, self._incomplete)
        # Frame grabbers keep the height of a frame in the node map of the stream; it must be settable.
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
            # The value MultiFrame makes harvesters allocate every frame of the run at once.
            mode = remote.AcquisitionMode.value if remote.has_node("AcquisitionMode") else "Continuous"
            if mode != "Continuous":
                raise CameraError(
                    "acquisition-mode-not-continuous",
                    "AcquisitionMode has to be Continuous: a web does not end after some frames.",
                )
            self._incomplete.count = 0
            self._told.forget()
            self._acquirer.num_buffers = max(self._acquirer.min_num_buffers, self._buffers())
            self._acquirer.start()
        except GENICAM_ERRORS as error:
            raise CameraError(
                "camera-does-not-start",
                "{camera} does not start: {reason}.",
                camera=self.info.name,
                reason=reason_of(error),
            ) from error
        self._runs += 1

    def stop(self) -> None:
        """Ends it. Buffers that nobody fetched go back first; queueing one afterwards can crash a producer."""
        try:
            while self._fetched:
                self._queue(self._fetched.popleft(), self._runs)
            self._runs += 1
            self._acquirer.stop()
        except GENICAM_ERRORS as error:
            raise CameraError(
                "camera-does-not-stop",
                "{camera} does not stop: {reason}.",
                camera=self.info.name,
                reason=reason_of(error),
            ) from error

    def fetch(self, timeout_s: float) -> RawFrame | None:
        """The next complete buffer."""
        try:
            if not self._fetched:
                # fetch raises when nothing comes in time, try_fetch answers None. Raw: its component images do not take
                # the padding of lines off and know few pixel formats.
                found = self._acquirer.try_fetch(timeout=timeout_s, is_raw=True)
                self._fetched.extend(b for b in (found if isinstance(found, list) else [found]) if b is not None)
            return self._frame(self._fetched.popleft()) if self._fetched else None
        except GENICAM_ERRORS as error:
            raise CameraError(
                "camera-unreadable",
                "{camera} cannot be read any more: {reason}. Look at its cable and its power.",
                camera=self.info.name,
                reason=reason_of(error),
            ) from error

    def ping(self) -> None:
        """Reads the width out of the camera, past every cache."""
        try:
            # A cached value would be read happily from a camera that is no longer there.
            self._maps["remote"].get_node("Width").get_value(ignore_cache=True)
        except genapi.LogicalErrorException:
            return  # it has no such feature, and cannot be asked
        except GENICAM_ERRORS as error:
            raise CameraError(
                "camera-silent",
                "{camera} does not answer any more: {reason}.",
                camera=self.info.name,
                reason=reason_of(error),
            ) from error

    def _buffers(self) -> int:
        """How many buffers are made: fewer where they are large, but not so few that a short stall loses cloth."""
        stream = self._acquirer.data_streams[0]
        # Where the stream does not say, the camera does; some grabbers fill in neither before the start.
        size = stream.payload_size if stream.defines_payload_size() else self._maps["remote"].PayloadSize.value
        wanted = self._config.buffers
        return max(min(_FEWEST_BUFFERS, wanted), min(wanted, _BUFFERS_BYTES // max(1, int(size))))

    def _frame(self, buffer: Any) -> RawFrame:
        # Simulated and older producers leave most of this out; what is missing is taken from the camera's own features.
        payload, problem = self._ask(buffer, "payload_type"), ""
        if payload is not None and payload not in _IMAGE_PAYLOADS:
            name = gentl.PAYLOADTYPE_INFO_IDS(payload).name if payload < 12 else payload
            problem = f"{self.info.name} sends payloads of type {name}; only plain images can be read."
        # Delivered, not announced: a trigger that ends a frame early leaves a shorter one.
        lines = self._ask(buffer, "delivered_image_height") or self._ask(buffer, "height")
        width, code = self._ask(buffer, "width"), self._ask(buffer, "pixel_format")
        lines = int(lines or self._maps["remote"].Height.value)
        frame_id, timestamp_ns = self._ask(buffer, "frame_id"), self._ask(buffer, "timestamp_ns")
        data = np.frombuffer(buffer.raw_buffer, np.uint8)  # a view: the producer writes into it again once it is queued
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
        # After a stop the buffers belong to the producer; queueing one of them then crashes some.
        if run == self._runs:
            buffer.parent.queue_buffer(buffer)

    def _ask(self, buffer: Any, what: str) -> Any:
        """What a buffer may know; None where it does not tell."""
        return self._try(what, lambda: getattr(buffer, what))

    def _chunk(self, name: str) -> int | None:
        """A whole number out of the chunk data of the buffer that was fetched last."""
        value: int | None = self._try(name, lambda: int(self._maps["remote"].get_node(name).value))
        return value

    def _select_line(self, line: int) -> bool:
        """Has the chunk tell of a line of the buffer; False where it tells of the first line only."""

        def select() -> bool:
            self._maps["remote"].get_node("ChunkScanLineSelector").value = line
            return True

        return self._try("ChunkScanLineSelector", select) is not None

    def _try(self, name: str, ask: Callable[[], Any]) -> Any:
        """Asks the producer for something that it may not have; None where it does not tell."""
        if not self._told.is_worth_asking(name):
            return None
        try:
            value = ask()
        except GENICAM_ERRORS:
            self._told.was_refused(name)
            return None
        self._told.came(name)
        return value

    def _encoder(self, lines: int) -> npt.NDArray[np.int64] | None:
        """(lines,) counts of the encoder, or (1,) of the first line; None where they did not all come."""
        if self._config.encoder == "none":
            return None
        wanted = lines if self._config.encoder == "each" else 1
        counts: list[int] = []
        for line in range(wanted):
            if not self._select_line(line) and line > 0:
                break
            count = self._chunk("ChunkEncoderValue")
            if count is None:
                return None
            counts.append(count)
        return np.array(counts if len(counts) == wanted else counts[:1], np.int64)

    def _nodes(self, node_map: NodeMap) -> Any:
        nodes = self._maps.get(node_map)
        if nodes is None:
            raise FeatureError(
                "camera-lacks-node-map",
                "{camera} has no node map {node_map}.",
                camera=self.info.name,
                node_map=node_map,
            )
        return nodes
