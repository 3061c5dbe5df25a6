"""Cameras and their features as rows of text, and which of them are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aoi_app.sources.camera.device import DeviceInfo
from aoi_app.sources.camera.features import NODE_MAPS, VISIBILITIES, Feature, FeatureType, NodeMap, Value, Visibility

LEVELS: tuple[Visibility, ...] = tuple(v for v in VISIBILITIES if v != "Invisible")
Key = tuple[NodeMap, str]
"""Node map and name of a feature."""

# Makers follow the standard names of GenICam more or less: each setting has the names under which it is found.
_LINE_SCAN: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("width", ("Width",)),
    ("offset", ("OffsetX",)),
    ("lines per frame", ("Height",)),
    ("pixel format", ("PixelFormat",)),
    ("line rate", ("AcquisitionLineRate", "AcquisitionLineRateAbs", "LineRate")),
    ("exposure", ("ExposureTime", "ExposureTimeAbs", "ExposureTimeRaw")),
    ("gain", ("Gain", "GainAbs", "GainRaw")),
    ("trigger", ("TriggerMode",)),
    ("trigger source", ("TriggerSource",)),
    ("encoder", ("EncoderDivider", "EncoderSourceA", "EncoderMode")),
    ("encoder counts in frames", ("ChunkModeActive",)),
)


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A camera that was found; ``serial`` is its id where it has no serial number."""

    producer: str
    vendor: str
    model: str
    serial: str
    transport: str
    access: str


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """A feature as text, with what an editor of it needs.

    Attributes:
        key: node map and name.
        label: shown as its name.
        category: path of its category, the outermost first; may be empty.
        kind: decides how it is edited.
        value, range_text, unit, access: as the camera tells them now; access is RW, RO, WO or NA (not available).
        level: who should see it.
        entries: values to choose from; empty where any text may be typed.
        tip: explanation.
        is_writable: it can be set now, and as text.
    """

    key: Key
    label: str
    category: tuple[str, ...]
    kind: FeatureType
    value: str
    range_text: str
    unit: str
    access: str
    level: Visibility
    entries: tuple[str, ...]
    tip: str
    is_writable: bool


@dataclass(frozen=True, slots=True)
class PanelRow:
    """One of the settings that matter on a line; ``lack`` says it where the camera has none."""

    caption: str
    feature: FeatureRow | None
    lack: str = ""


def device_row(d: DeviceInfo) -> DeviceRow:
    """A camera as text."""
    return DeviceRow(d.producer, d.vendor, d.model, d.serial or d.id, d.transport, d.access)


def feature_row(f: Feature) -> FeatureRow:
    """A feature as text."""
    return FeatureRow(
        key=(f.node_map, f.name),
        label=f.name,
        category=f.category,
        kind=f.type,
        value=_text(f.value),
        range_text=f.range_text,
        unit=f.unit,
        access=f.access,
        level=f.visibility,
        entries=("true", "false") if f.type == "boolean" else f.entries,
        tip=f.tooltip or f.display_name,
        is_writable=f.is_writable and f.type != "register",
    )


def visible(rows: Sequence[FeatureRow], search: str, level: str) -> list[FeatureRow]:
    """Rows of a level, and below it, with the searched text in name, category or explanation."""
    highest = VISIBILITIES.index(level) if level in VISIBILITIES else len(VISIBILITIES)
    wanted = search.strip().lower()
    return [
        r
        for r in rows
        if VISIBILITIES.index(r.level) <= highest and wanted in " ".join((r.label, *r.category, r.tip)).lower()
    ]


def line_scan_panel(rows: Sequence[FeatureRow]) -> list[PanelRow]:
    """The settings that matter on a line. The camera's own come before those of its frame grabber."""
    by_key = {r.key: r for r in rows}
    return [_panel_row(caption, names, by_key) for caption, names in _LINE_SCAN]


def hint_of(row: FeatureRow) -> str:
    """What stands beside the field of a feature: what it may be, and whether it is locked."""
    allowed = "" if row.entries else row.range_text  # a list shows by itself what there is to choose
    return " ".join(filter(None, (allowed, "" if row.is_writable else "(locked now)")))


def _panel_row(caption: str, names: tuple[str, ...], by_key: Mapping[Key, FeatureRow]) -> PanelRow:
    maps: list[NodeMap] = ["remote", *(m for m in NODE_MAPS if m != "remote")]
    found = [by_key[(m, name)] for name in names for m in maps if (m, name) in by_key]
    available = next((r for r in found if r.access != "NA"), None)
    if available is not None:
        return PanelRow(caption, available)
    return PanelRow(caption, None, f"{names[0]} is not available now" if found else f"this camera has no {names[0]}")


def _text(value: Value | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.10g}" if isinstance(value, float) else str(value)
