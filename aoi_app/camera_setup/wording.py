"""What is said of cameras, light, focus and flat fields."""

from __future__ import annotations

from aoi_app.camera_setup.camera_state import CameraState
from aoi_app.camera_setup.focus_state import FocusState, Phase, StoredFlatField
from aoi_app.sources.block import Block
from aoi_app.sources.flat_field.correction import FlatField, evenness

SILENT = "The camera delivers no lines. Start the web, or check the trigger of the camera."


def camera_text(state: CameraState) -> str:
    """Which camera is open, and who reads it."""
    if state.busy:
        return state.busy
    if not state.camera:
        return "No camera is open. Select one and press Choose."
    return f"{state.camera} is open; {'the line reads it' if state.is_on_line else 'no roll reads it'}."


def describe_flat_field(flat: FlatField) -> str:
    """When, with what and from how much a flat field was recorded, for a person."""
    setup = flat.setup
    parts = [
        f"camera {setup.camera}",
        f"recorded {flat.recorded_at}",
        f"{flat.width_px} px, mean of {flat.lines} lines",
    ]
    parts += [f"exposure {setup.exposure_us:g} us"] if setup.exposure_us is not None else []
    parts += [f"gain {setup.gain:g}"] if setup.gain is not None else []
    return ", ".join(parts)


def effect_text(flat: FlatField, block: Block) -> str:
    """What a flat field does to an even white, in words."""
    found = evenness(flat, block)
    return (
        f"Its brightness differs by {found.before_percent:.1f} % across the line; with the flat field by "
        f"{found.after_percent:.1f} %."
    )


def stored_text(stored: StoredFlatField | None, *, is_open: bool) -> str:
    """What is said of the flat field that is stored for the camera."""
    if stored is None:
        return "No flat field is stored for this camera." if is_open else ""
    said = f"Stored: {stored.text}." if stored.text else ""
    return " ".join([*([said] if said else []), *stored.problems])


def unsaved_text(state: FocusState) -> str:
    """That a recorded flat field waits to be saved; empty where none does."""
    unsaved = state.flat_field.unsaved
    return f"Not saved: {unsaved}. Save it or discard it." if unsaved else ""


def focus_text(state: FocusState, obstacle: str, serial: str) -> str:
    """How the camera is doing while light and focus are set.

    Args:
        state: of the service.
        obstacle: why the camera cannot be opened now; empty where it can.
        serial: of the camera that would be opened; empty for the first that is found.
    """
    if state.busy:
        return state.busy
    if state.phase is Phase.OPEN:
        waits = f"{state.camera} is open; waiting for lines …"
        return state.note or (f"{state.camera} is running." if state.light is not None else waits)
    which = f"Camera {serial}" if serial else "The camera"
    unsaved = "A recorded flat field is not saved." if state.flat_field.unsaved else ""
    return " ".join(filter(None, (state.note, obstacle or f"{which} is not open.", unsaved)))
