"""Settings of a camera as a file, applied in order, with everything said that did not come out as written."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from aoi_app.settings.strict_json import STRICT, ContentError, read_json
from aoi_app.sources.camera.device import DeviceInfo
from aoi_app.sources.camera.features import Feature, FeatureError, Features, NodeMap, Setting, Value
from aoi_app.sources.source import SourceError
from cras_core.files import write_atomically

_Name = Annotated[str, Field(max_length=1000)]
_Integer = Annotated[StrictInt, Field(ge=-(2**63), lt=2**63)]  # GenICam's integers have 64 bits with a sign

Outcome = Literal["set", "refused", "differs"]


@dataclass(frozen=True, slots=True)
class SettingResult:
    """What became of a setting.

    Attributes:
        setting: what was wanted.
        outcome: set; refused by the camera, which includes what it lacks; or set, but now something else.
        text: for a person, where it is not ``set``.
    """

    setting: Setting
    outcome: Outcome
    text: str = ""


class PresetCamera(BaseModel):
    """The camera that a preset was made for."""

    model_config = STRICT

    vendor: _Name = ""
    model: _Name = ""
    serial: _Name = ""


class PresetFeature(BaseModel):
    """One line of a preset."""

    model_config = STRICT

    node_map: NodeMap = "remote"
    name: _Name
    value: StrictBool | _Integer | StrictFloat | Annotated[StrictStr, Field(max_length=10_000)]


class Preset(BaseModel):
    """Features in the order in which they are set; a selector comes before what it selects."""

    model_config = STRICT

    format: Literal[1] = 1
    camera: PresetCamera = PresetCamera()
    features: Annotated[tuple[PresetFeature, ...], Field(max_length=100_000)] = ()

    @property
    def settings(self) -> tuple[Setting, ...]:
        """For ``CameraConfig.settings``."""
        return tuple(Setting(f.node_map, f.name, f.value) for f in self.features)


def load_preset(path: Path) -> Preset:
    """Reads a preset.

    Raises:
        SourceError: it cannot be read, or is none; the text says where.
    """
    try:
        return read_json(path, Preset)
    except OSError as error:
        raise SourceError(
            "preset-unreadable", "The camera preset {path} cannot be read: {reason}.", path=path, reason=error
        ) from error
    except ContentError as error:
        raise SourceError(
            "preset-wrong", "{path} is not a camera preset: {reason}.", path=path, reason=error
        ) from error


def save_preset(path: Path, preset: Preset) -> None:
    """Writes a preset.

    Raises:
        SourceError: it cannot be written.
    """
    try:
        write_atomically(path, preset.model_dump_json(indent=1).encode() + b"\n")
    except OSError as error:
        raise SourceError(
            "preset-unwritable", "The camera preset {path} cannot be written: {reason}.", path=path, reason=error
        ) from error


def preset_of(info: DeviceInfo, features: Iterable[Feature]) -> Preset:
    """What the maker means to be kept of a camera as it is now. Features behind a selector come with the value of the
    selection that holds now.
    """
    kept = tuple(
        PresetFeature(node_map=f.node_map, name=f.name, value=f.value)
        for f in features
        if f.is_kept and f.value is not None
    )
    return Preset(camera=PresetCamera(vendor=info.vendor, model=info.model, serial=info.serial), features=kept)


def wrong_camera(preset: Preset, info: DeviceInfo) -> str | None:
    """A sentence where a preset was made for another model."""
    made = preset.camera
    if not made.model or (made.vendor, made.model) == (info.vendor, info.model):
        return None
    return (
        f"The preset was made for {made.vendor} {made.model}, but this camera is {info.vendor} {info.model}. What it "
        "does not have or does not take is listed."
    )


def apply_settings(camera: Features, settings: Sequence[Setting]) -> list[SettingResult]:
    """Sets features in order; a setting that fails does not keep the rest from being set.

    Afterwards those are read again that a later one may have changed, except behind a selector that was set since.
    """
    # In the order of the file: a selector must be set before what it selects, and the maker's order is the only one
    # known.
    results = [_apply(camera, setting) for setting in settings]
    for i, result in enumerate(results):
        later = settings[i + 1 :]
        # Read again: setting the line rate may have shortened the exposure that was set before.
        place = (result.setting.node_map, result.setting.name)
        if result.outcome != "set" or any(s.name.endswith("Selector") or (s.node_map, s.name) == place for s in later):
            continue
        try:
            feature = camera.feature(*place)
        except FeatureError as error:
            results[i] = SettingResult(result.setting, "differs", f"cannot be read afterwards: {error}")
            continue
        results[i] = _compare(result.setting, feature, "after the other settings ")
    return results


def describe_results(results: Iterable[SettingResult]) -> list[str]:
    """Sentences about what did not come out as written."""
    return [r.text for r in results if r.outcome != "set"]


def _apply(camera: Features, setting: Setting) -> SettingResult:
    try:
        feature = camera.write(setting)
    except FeatureError as error:
        return SettingResult(setting, "refused", str(error))
    return _compare(setting, feature, "")


def _compare(setting: Setting, feature: Feature, when: str) -> SettingResult:
    if feature.type == "command" or feature.value is None or _same(setting.value, feature.value):
        return SettingResult(setting, "set")
    text = f"{setting.name} ({setting.node_map}) was set to {setting.value}, {when}the camera has {feature.value}."
    return SettingResult(setting, "differs", text)


def _same(wanted: Value, actual: Value) -> bool:
    if isinstance(wanted, str) or isinstance(actual, str):
        return wanted == actual
    # Cameras round to their own steps and say so; a millionth is none.
    return math.isclose(wanted, actual, rel_tol=1e-6, abs_tol=1e-9)
