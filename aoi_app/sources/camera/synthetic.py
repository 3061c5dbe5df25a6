"""A line-scan camera without hardware: any width and line rate, an encoder, and every way to fail.

It runs where real cameras run, in the acquisition process and through the ring, so that speed and faults can be tried
without one. Its pixels are a weave that is made once, so that it costs nothing beside what is measured.
"""

from __future__ import annotations

import ctypes
import os
import time
from dataclasses import replace
from types import TracebackType

import numpy as np
import numpy.typing as npt

from aoi_app.sources.camera.device import CameraConfig, CameraError, DeviceInfo, RawFrame
from aoi_app.sources.camera.features import Feature, FeatureError, NodeMap, Setting, check_value
from aoi_app.sources.camera.pixel_formats import find_format

SYNTHETIC = "synthetic"
"""Stands where the path of a producer stands."""

WIDEST_PX = 16384  # as wide as line-scan cameras get
_SHIFT_LINES = 64  # different beginnings of a frame in the weave that is made once
_STEP_LINES = 7  # from frame to frame; prime to the weave, so that neighbouring frames differ
_FORMATS = ("Mono8", "Mono12", "RGB8")


def synthetic_info(serial: str | None = None) -> DeviceInfo:
    """What it says about itself; any serial number is taken."""
    return DeviceInfo(SYNTHETIC, "synthetic", "aoi", "Synthetic line scan", serial or "synthetic-0", "none", "free")


def synthetic_lines(pixel_format: str, lines: int, width_px: int) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    """The cloth that it sees, (lines, W) or (lines, W, 3). Frame k shows the lines from ``7 k mod 64`` on."""
    kind = find_format(pixel_format)
    # Made once and shifted from line to line: making noise for every frame would be what is measured.
    noise = np.random.default_rng(1).integers(0, 24, (97, width_px + 89), dtype=np.uint8)
    rows, columns = np.arange(lines), np.arange(width_px)
    weave = np.where((rows[:, None] // 4 + columns // 4) % 2 == 0, 130, 90).astype(np.uint8)
    for line in rows:
        shift = int(line) * 13 % 89
        weave[line] += noise[int(line) % 97, shift : shift + width_px]
    if kind.bits == 8:
        if kind.channels == 1:
            return weave
        colours: npt.NDArray[np.uint8] = np.subtract(weave[..., None], np.array([0, 10, 20], np.uint8))
        return colours
    deep: npt.NDArray[np.uint16] = np.left_shift(weave.astype(np.uint16), np.uint16(kind.bits - 8))
    return deep


def _reference(
    scene: str, pixel_format: str, lines: int, width_px: int
) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    """An even white under a lamp that is brighter in the middle, or the dark; the sensor's own pattern on both."""
    kind = find_format(pixel_format)
    full = (1 << kind.bits) - 1
    x = np.linspace(-1, 1, width_px)
    light = 0.8 - 0.4 * x**2 if scene == "White" else np.zeros(width_px)
    pattern = np.random.default_rng(2).uniform(0.01, 0.03, width_px)
    line = np.rint((light + pattern) * full).astype(np.uint8 if kind.bits == 8 else np.uint16)
    if kind.channels == 1:
        return np.ascontiguousarray(np.broadcast_to(line, (lines, width_px)))
    return np.ascontiguousarray(np.broadcast_to(line[:, None], (lines, width_px, kind.channels)))


class SyntheticDevice:
    """The camera. Its commands ``Crash`` and ``Hang`` do what bad producers do."""

    def __init__(self, config: CameraConfig) -> None:
        self.info = synthetic_info(config.serial)
        self.incomplete = 0
        self._buffers = config.buffers
        self._encoder_kind = config.encoder
        self._features = {f.name: f for f in _features()}
        self._made: tuple[tuple[object, ...], npt.NDArray[np.uint8], int] | None = None
        self._is_running = False
        self._frame = self._skipped = 0
        self._began_s = time.monotonic()

    def __enter__(self) -> SyntheticDevice:
        if self.info.serial == "missing":
            raise CameraError(
                "synthetic-camera-missing", "There is no synthetic camera 'missing'; any other serial number will do."
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_running = False

    def list_features(self, node_map: NodeMap) -> list[Feature]:
        """All features; it has only the node map of the camera itself."""
        return list(self._features.values()) if node_map == "remote" else []

    def feature(self, node_map: NodeMap, name: str) -> Feature:
        """One feature as it is now."""
        if node_map != "remote" or name not in self._features:
            raise FeatureError(
                "feature-unknown",
                "The camera has no feature {name} in its node map {node_map}.",
                name=name,
                node_map=node_map,
            )
        return self._features[name]

    def write(self, setting: Setting) -> Feature:
        """Sets a feature, also while it runs, or executes a command."""
        feature = self.feature(setting.node_map, setting.name)
        check_value(feature, setting.value)
        if feature.type == "command":
            _COMMANDS[setting.name]()
            return feature
        if setting.name == "SkipFrames":
            self._frame += int(setting.value)
            self._skipped += int(setting.value)
            return feature
        value = float(setting.value) if feature.type == "float" else setting.value
        self._features[setting.name] = replace(feature, value=value)
        if setting.name in {"AcquisitionLineRate", "Height", "TriggerMode"}:
            self._restart_clock(self._frame)
        return self._features[setting.name]

    def start(self) -> None:
        """Begins; frames are counted from 0."""
        self._is_running = True
        self._restart_clock()

    def stop(self) -> None:
        """Ends."""
        self._is_running = False

    def fetch(self, timeout_s: float) -> RawFrame | None:
        """The next frame. Like a camera, it skips frames when nobody fetches them for longer than its buffers last."""
        if not self._is_running or self._value("TriggerMode") == "On" or self._value("Unplugged"):
            time.sleep(timeout_s)
            return None
        lines, rate = int(self._value("Height")), float(self._value("AcquisitionLineRate"))
        # Frames that a real camera would have taken by now, whether or not anybody fetched them.
        ready = int((time.monotonic() - self._began_s) * rate / lines) + self._skipped
        if ready <= self._frame:
            due_s = self._began_s + (self._frame + 1 - self._skipped) * lines / rate
            wait_s = due_s - time.monotonic()
            time.sleep(max(0.0, min(wait_s, timeout_s)))
            if wait_s > timeout_s:
                return None
            ready = self._frame + 1
        self._frame = max(self._frame, ready - self._buffers)  # older ones were overwritten: a camera waits for nobody
        frame = self._raw(self._frame, lines)
        self._frame += 1
        return frame

    def ping(self) -> None:
        """Answers unless it is unplugged."""
        if self._value("Unplugged"):
            raise CameraError("synthetic-camera-silent", "{camera} does not answer any more.", camera=self.info.name)

    def _raw(self, number: int, lines: int) -> RawFrame:
        width, pixel_format = int(self._value("Width")), str(self._value("PixelFormat"))
        scene = str(self._value("Scene"))
        key = (lines, width, pixel_format, scene)
        if self._made is None or self._made[0] != key:
            if scene == "Cloth":
                cloth = synthetic_lines(pixel_format, lines + _SHIFT_LINES, width)
            else:
                cloth = _reference(scene, pixel_format, lines + _SHIFT_LINES, width)
            self._made = key, cloth.reshape(-1).view(np.uint8), cloth.nbytes // len(cloth)
        _, cloth_bytes, line_bytes = self._made
        first = number * _STEP_LINES % _SHIFT_LINES
        encoder = None
        if self._value("ChunkModeActive") and self._encoder_kind != "none":
            step = int(self._value("EncoderDivider")) * (-1 if self._value("WebReversed") else 1)
            counts = lines if self._encoder_kind == "each" else 1
            encoder = (number * lines + np.arange(counts, dtype=np.int64)) * step
        return RawFrame(
            data=cloth_bytes[first * line_bytes : (first + lines) * line_bytes],
            lines=lines,
            width_px=width,
            pixel_format=pixel_format,
            padding_bytes=0,
            big_endian=False,
            frame_id=number,
            timestamp_ns=int(number * lines * 1e9 / float(self._value("AcquisitionLineRate"))),
            encoder=encoder,
            give_back=_nothing,
        )

    def _value(self, name: str) -> int | float | str:
        value = self._features[name].value
        assert value is not None
        return value

    def _restart_clock(self, frame: int = 0) -> None:
        self._frame = self._skipped = frame
        self._began_s = time.monotonic()


def _nothing() -> None:
    """Its buffers need not go back."""


def _crash() -> None:
    """Reads where no memory is, as a bad producer does."""
    ctypes.string_at(0)  # SIGSEGV, as from C++; an exception would be caught


def _hang() -> None:
    """Waits for ever and keeps the interpreter's lock, as a bad producer does."""
    if os.name == "posix":
        # PyDLL, unlike CDLL, keeps the interpreter's lock during the call. That is what makes real producers so hard.
        ctypes.PyDLL(None).pause()
    while True:
        time.sleep(3600)


_COMMANDS = {"Crash": _crash, "Hang": _hang}


def _features() -> list[Feature]:
    image, acquisition = ("Image Format Control",), ("Acquisition Control",)
    encoder, chunks, faults = ("Encoder Control",), ("Chunk Data Control",), ("Fault Control",)
    return [
        Feature("remote", "DeviceScanType", "Scan type", image, "enumeration", "Linescan", "RO", "Beginner"),
        _integer("Width", image, 2048, 8, WIDEST_PX, 8, "px"),
        _integer("Height", image, 256, 1, 4096, 1, "lines", tooltip="Lines of a frame."),
        _choice("PixelFormat", image, "Mono8", _FORMATS),
        _float("AcquisitionLineRate", acquisition, 10_000.0, 1.0, 400_000.0, "Hz"),
        _float("ExposureTime", acquisition, 50.0, 1.0, 10_000.0, "us"),
        _float("Gain", acquisition, 1.0, 1.0, 16.0, ""),
        _choice("Scene", image, "Cloth", ("Cloth", "White", "Dark"), "What it sees: cloth, an even white, its cover."),
        _choice("TriggerMode", acquisition, "Off", ("Off", "On"), "On: it waits for a trigger that never comes."),
        _integer("EncoderDivider", encoder, 4, 1, 1000, 1, "", tooltip="Counts of the encoder per line."),
        _boolean("WebReversed", encoder, "The encoder runs backwards."),
        replace(_boolean("ChunkModeActive", chunks, "Frames carry counts of the encoder."), value=True),
        replace(
            _integer("SkipFrames", faults, 0, 0, 1000, 1, "", tooltip="Loses so many frames on their way, at once."),
            is_kept=False,
        ),
        replace(_boolean("Unplugged", faults, "Nothing comes, and it does not answer."), is_kept=False),
        Feature("remote", "Crash", "Crash", faults, "command", None, "WO", "Guru", tooltip="Crashes the process."),
        Feature("remote", "Hang", "Hang", faults, "command", None, "WO", "Guru", tooltip="Hangs the process."),
    ]


def _integer(
    name: str, category: tuple[str, ...], value: int, low: int, high: int, step: int, unit: str, *, tooltip: str = ""
) -> Feature:
    return Feature(
        "remote", name, name, category, "integer", value, "RW", "Beginner", low, high, step, unit, (), tooltip, True
    )


def _float(name: str, category: tuple[str, ...], value: float, low: float, high: float, unit: str) -> Feature:
    return Feature(
        "remote", name, name, category, "float", value, "RW", "Beginner", low, high, None, unit, (), "", True
    )


def _choice(name: str, category: tuple[str, ...], value: str, entries: tuple[str, ...], tooltip: str = "") -> Feature:
    return Feature(
        "remote",
        name,
        name,
        category,
        "enumeration",
        value,
        "RW",
        "Beginner",
        entries=entries,
        tooltip=tooltip,
        is_kept=True,
    )


def _boolean(name: str, category: tuple[str, ...], tooltip: str) -> Feature:
    return Feature("remote", name, name, category, "boolean", False, "RW", "Expert", tooltip=tooltip, is_kept=True)
