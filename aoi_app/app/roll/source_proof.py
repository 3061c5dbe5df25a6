"""Whether a roll can begin: its source opened and closed again, before a running roll is ended for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from aoi_app.camera_setup.camera_hold import may_hold_camera
from aoi_app.inspection.roll_model import make_roll_model
from aoi_app.live.model_loader import LoadedModel
from aoi_app.settings.recipe import Recipe
from aoi_app.sources.source import SourceError
from aoi_app.sources.source_choice import SourceChoice, make_source

_FREE_WITHIN_S = 15.0
_POLL_S = 0.05


def prove_beginning(
    choice: SourceChoice,
    recipe: Recipe,
    loaded: LoadedModel | None,
    running: SourceChoice | None,
    holders: Sequence[Callable[[], bool]],
) -> None:
    """Shows that a roll can begin with a source: the model knows the fabric of the recipe, and the source opens.

    Args:
        loaded: the model of the line; None where it is still to come.
        choice, recipe, running, holders: see ``prove_source``, and what it raises.

    Raises:
        RecipeError: the recipe does not fit the model.
    """
    if loaded is not None and loaded.detector is not None:
        make_roll_model(loaded.detector, loaded.identity, loaded.detector.config.tiling, recipe)
    prove_source(choice, recipe, running, holders)


def prove_source(
    choice: SourceChoice, recipe: Recipe, running: SourceChoice | None, holders: Sequence[Callable[[], bool]]
) -> None:
    """Opens a source and closes it again. Slow where a camera or a share is; for a thread.

    Args:
        choice: the source.
        recipe: gives a camera its scale and preset.
        running: that of the roll that runs; None where none does. A camera that it may hold cannot be opened twice, so
            the new source is only made then.
        holders: asked whether they still hold a camera, which they then give back.

    Raises:
        SourceError: it cannot be used.
        CrasError: likewise, of its camera or its files.
    """
    source = make_source(choice, recipe)
    if may_hold_camera(choice.spec):
        if running is not None and may_hold_camera(running.spec):
            return
        _wait_for_camera(holders)
    with source:
        if source.total_lines == 0:
            raise SourceError("source-without-cloth", "{source} holds no picture that can be read.", source=source.name)


def _wait_for_camera(holders: Sequence[Callable[[], bool]]) -> None:
    end_s = time.monotonic() + _FREE_WITHIN_S
    while True:
        still_held = [holder() for holder in holders]  # all of them are asked: each gives its own back
        if not any(still_held):
            return
        if time.monotonic() > end_s:
            raise SourceError("camera-still-held", "The page of the cameras still holds the camera. Close it there.")
        time.sleep(_POLL_S)
