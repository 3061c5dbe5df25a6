"""What scores a roll: a model, and how it looks at the web of a recipe."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from aoi_app.settings.recipe import Recipe, RecipeError
from cras_core.web.baseline import BaselineConfig
from cras_core.web.canvas import WebConfig
from cras_core.web.edges import EdgeConfig
from cras_core.web.ignored import IgnoredLane
from cras_core.web.protocols import TileDetector
from cras_core.web.tiling import TilingConfig


@dataclass(frozen=True, slots=True)
class RollModel:
    """One model on one roll.

    Attributes:
        detector: scores tiles.
        config: how it looks at the web.
        fabrics: names of the fabrics that it knows.
        identity: of the bundle.
        taught: what it rests on where the first cloth of this very roll has taught it; else empty.
    """

    detector: TileDetector
    config: WebConfig
    fabrics: tuple[str, ...]
    identity: str
    taught: str = ""


def edges_of(recipe: Recipe) -> EdgeConfig:
    """How a recipe finds the edges of the cloth, in pixels."""
    margin = recipe.selvedge_margin_mm
    return EdgeConfig(
        enabled=recipe.find_edges, from_edge_px=None if margin is None else round(margin / recipe.mm_per_px)
    )


def ignored_lanes(recipe: Recipe) -> tuple[IgnoredLane, ...]:
    """What a recipe leaves out, in pixels."""
    scale = recipe.mm_per_px
    return tuple(IgnoredLane(s.edge, s.from_mm / scale, s.to_mm / scale) for s in recipe.ignored)


def make_roll_model(detector: TileDetector, identity: str, tiling: TilingConfig, recipe: Recipe) -> RollModel:
    """A model made ready for a roll.

    Args:
        detector: scores tiles.
        identity: of the bundle.
        tiling: tile and cell size that the model was trained with; the overlap is that of the recipe.
        recipe: of the roll.

    Raises:
        RecipeError: the recipe names a fabric that the model does not know; the text lists those it knows.
    """
    fabrics = tuple(c.fabric for c in detector.calibrations)
    if recipe.fabric is not None and recipe.fabric not in fabrics:
        raise RecipeError(
            "fabric-unknown-to-model",
            "The model does not know the fabric {fabric!r}; it knows {fabrics}.",
            fabric=recipe.fabric,
            fabrics=fabrics,
        )
    fabric = fabrics.index(recipe.fabric) if recipe.fabric is not None else None  # None: the cloth is matched
    # Tile and cell belong to the model; how far tiles overlap is a matter of speed, so it is in the recipe.
    tiling = dataclasses.replace(tiling, overlap_px=recipe.overlap_px)
    return RollModel(
        detector,
        WebConfig(tiling, edges_of(recipe), BaselineConfig(enabled=recipe.relative), fabric, ignored_lanes(recipe)),
        fabrics,
        identity,
    )
