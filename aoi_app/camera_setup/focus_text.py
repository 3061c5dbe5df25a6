"""From what the camera layer measures to what is shown of it."""

from __future__ import annotations

from aoi_app.camera_setup.focus_state import EvennessView, LightView, thinned
from aoi_app.sources.block import Block
from aoi_app.sources.diagnostics.focus import FocusMetrics
from aoi_app.sources.flat_field.correction import FlatField, evenness


def light_view(figures: FocusMetrics, best: float) -> LightView:
    """Light and focus, to be drawn; ``best`` is the greatest sharpness so far."""
    columns, _, mean, _ = thinned(figures.mean)
    return LightView(
        columns=columns,
        minimum=thinned(figures.minimum)[1],
        mean=mean,
        maximum=thinned(figures.maximum)[3],
        histogram=figures.histogram,
        saturated=figures.saturated,
        black=figures.black,
        sharpness=figures.sharpness,
        best=best,
        zones=figures.zones,
        words=figures.words,
    )


def evenness_view(flat: FlatField, block: Block, *, is_stored: bool) -> EvennessView:
    """What a flat field does to the lines of a block, to be drawn. Raises FlatFieldError where it does not fit them."""
    found = evenness(flat, block)
    columns, _, before, _ = thinned(found.before)
    after = thinned(found.after)[2]
    return EvennessView(columns, before, after, found.before_percent, found.after_percent, is_stored)


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
        f"Its brightness differed by {found.before_percent:.1f} % across the line, with the flat field by "
        f"{found.after_percent:.1f} %."
    )
