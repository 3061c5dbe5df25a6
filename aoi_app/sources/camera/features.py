"""What can be set on a camera, as values that travel between processes and into files."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol, get_args

from cras_core.errors import CrasError

NodeMap = Literal["system", "interface", "device", "stream", "remote"]
"""Where a feature lives: producer, its interface, the producer's side of the camera, its stream, the camera itself.
Frame grabbers keep the frame height in ``stream`` or ``interface``.
"""
NODE_MAPS: tuple[NodeMap, ...] = get_args(NodeMap)
FeatureType = Literal["integer", "float", "boolean", "enumeration", "string", "command", "register"]
Access = Literal["RW", "RO", "WO", "NA"]
Visibility = Literal["Beginner", "Expert", "Guru", "Invisible"]
VISIBILITIES: tuple[Visibility, ...] = get_args(Visibility)  # from what everybody may see to what nobody should
Value = int | float | bool | str


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature as it is now.

    Attributes:
        node_map: where it lives.
        name: as the standard (SFNC) or the maker calls it.
        display_name: for a person.
        category: path of its categories, outermost first, without the root.
        type: what its value is; a command has none.
        value: what it is now; None for commands, registers, and what cannot be read now.
        access: whether it can be read and written now; NA is neither.
        visibility: for whom the maker meant it.
        minimum, maximum, increment: of numbers, in ``unit``; None where it has none.
        unit: of numbers, as the maker writes it.
        entries: what an enumeration can be set to now.
        tooltip: the maker's explanation.
        is_kept: the maker means it to be part of a saved setting.
    """

    node_map: NodeMap
    name: str
    display_name: str
    category: tuple[str, ...]
    type: FeatureType
    value: Value | None
    access: Access
    visibility: Visibility
    minimum: int | float | None = None
    maximum: int | float | None = None
    increment: int | float | None = None
    unit: str = ""
    entries: tuple[str, ...] = ()
    tooltip: str = ""
    is_kept: bool = False

    @property
    def is_writable(self) -> bool:
        """Whether it can be set, or executed, now."""
        return self.access in {"RW", "WO"}

    @property
    def range_text(self) -> str:
        """What it can be set to, for a person; empty where nothing bounds it."""
        if self.entries:
            return ", ".join(self.entries)
        if self.minimum is None or self.maximum is None:
            return ""
        step = f" in steps of {self.increment:g}" if self.increment not in {None, 0, 1} else ""
        return f"{_number(self.minimum)} to {_number(self.maximum)}{step}{f' {self.unit}' if self.unit else ''}"

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Setting:
    """A value for a feature; for a command, any value executes it."""

    node_map: NodeMap
    name: str
    value: Value


class FeatureError(CrasError):
    """A feature cannot be read, written or executed; the text says why, with the range where that is the reason."""


class Features(Protocol):
    """What reads and sets the features of an open camera."""

    def list_features(self, node_map: NodeMap) -> list[Feature]:
        """All features of a node map in the order of its tree; empty if the camera has no such node map."""

    def feature(self, node_map: NodeMap, name: str) -> Feature:
        """One feature as it is now. Raises FeatureError."""

    def write(self, setting: Setting) -> Feature:
        """Sets a feature, or executes a command, and reads it again. Raises FeatureError."""


def _number(value: float) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def parse_value(feature: Feature, text: str) -> Value:
    """What somebody typed as a value of the feature.

    Raises:
        FeatureError: it is none.
    """
    wrong = _not_of_its_kind(feature, text)
    try:
        if feature.type == "integer":
            return int(text, 0)  # also 0x10, as data sheets write registers
        if feature.type == "float" and math.isfinite(number := float(text)):
            return number
    except ValueError:
        raise wrong from None
    if feature.type == "float":
        raise wrong
    if feature.type in {"boolean", "command"}:
        known = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}
        if text.lower() not in known:
            raise wrong
        return known[text.lower()]
    return text


def _not_of_its_kind(feature: Feature, text: str) -> FeatureError:
    kind = _KINDS[feature.type]
    if not feature.range_text:
        return FeatureError(
            "feature-text-wrong", "{name} is {kind}; {text!r} is none.", name=feature.name, kind=kind, text=text
        )
    return FeatureError(
        "feature-text-wrong-in-range",
        "{name} is {kind}; {text!r} is none. {range}",
        name=feature.name,
        kind=kind,
        text=text,
        range=feature.range_text,
    )


_KINDS: dict[FeatureType, str] = {
    "integer": "a whole number",
    "float": "a number",
    "boolean": "true or false",
    "enumeration": "one of a list",
    "string": "a text",
    "command": "a command, executed by 1",
    "register": "a register",
}


def check_value(feature: Feature, value: Value) -> None:
    """Finds out, before the camera is asked, whether a value can be set.

    Raises:
        FeatureError: why not, with the range.
    """
    name = f"{feature.name} ({feature.node_map})"
    if not feature.is_writable:
        if feature.access == "NA":
            raise FeatureError(
                "feature-not-available",
                "{name} is not available now. Some features are locked while the camera runs, or by another feature.",
                name=name,
            )
        raise FeatureError(
            "feature-read-only",
            "{name} can only be read now. Some features are locked while the camera runs, or by another feature.",
            name=name,
        )
    if feature.type == "register":
        raise FeatureError(
            "feature-is-register", "{name} is a raw register; it is not written by this program.", name=name
        )
    # Entries that are not available now are not among these, so that the camera is not asked for what it will refuse.
    if feature.entries and value not in feature.entries:
        raise FeatureError(
            "feature-not-in-list",
            "{name} cannot be {value!r}; it can be {known}.",
            name=name,
            value=value,
            known=feature.entries,
        )
    if feature.type in {"integer", "float"}:
        is_whole = not isinstance(value, float) or value.is_integer()
        if isinstance(value, str) or not math.isfinite(value) or (feature.type == "integer" and not is_whole):
            raise FeatureError(
                "feature-of-other-kind",
                "{name} is {kind}, not {value!r}.",
                name=name,
                kind=_KINDS[feature.type],
                value=value,
            )
        low, high = feature.minimum, feature.maximum
        if (low is not None and value < low) or (high is not None and value > high):
            raise FeatureError(
                "feature-out-of-range",
                "{name} = {value} is out of range: {range}.",
                name=name,
                value=value,
                range=feature.range_text,
            )
        # Widths come in steps of 8 or 16 pixels on many cameras, counted from the smallest.
        if feature.type == "integer" and low is not None and feature.increment and (value - low) % feature.increment:
            raise FeatureError(
                "feature-between-steps",
                "{name} = {value} is between two steps: {range}.",
                name=name,
                value=value,
                range=feature.range_text,
            )
    elif feature.type == "boolean" and not isinstance(value, bool) and value not in (0, 1):
        raise FeatureError("feature-not-boolean", "{name} is true or false, not {value!r}.", name=name, value=value)
