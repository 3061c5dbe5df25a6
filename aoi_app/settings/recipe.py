"""Settings for one fabric on one line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, model_validator

from aoi_app.settings.cutting import CutRules
from aoi_app.settings.grading import GradingRules
from aoi_app.settings.ignored_lanes import MOST_LANES, IgnoredLane
from aoi_app.settings.strict_json import STRICT, ContentError, NotJsonError, read_json
from cras_core.errors import CrasError
from cras_core.web.threshold import CALIBRATED_THRESHOLD


class RecipeError(CrasError):
    """A recipe cannot be used; the text names the field."""


class Recipe(BaseModel):
    """How a roll is inspected and measured.

    Lengths are millimetres; scores are multiples of the calibrated limit of the fabric.
    """

    model_config = STRICT

    name: Annotated[str, Field(min_length=1, max_length=80)] = "standard"
    fabric: Annotated[str, Field(max_length=200)] | None = None
    """Fabric that the recipe is of. A roll that is begun with it is compared with this fabric, whatever it matches;
    None lets the cloth decide.
    """
    self_taught: bool = False
    """The first cloth of each roll teaches the model what it is, defects and all: no fabric has to be enrolled."""
    first_cloth_m: Annotated[float, Field(ge=0.05, le=2)] = 0.5
    """So much of it, metres: of a web 1.6 m wide its features take 0.4 GB a metre. It is inspected afterwards, like the
    rest.
    """
    mm_per_px: Annotated[float, Field(gt=0, le=10)] = 0.2
    """Size of a pixel across the web."""
    mm_per_line: Annotated[float, Field(gt=0, le=10)] | None = None
    """Length of a line along the web; None is as ``mm_per_px``, square pixels."""
    overlap_px: Annotated[int, Field(ge=48, le=256, multiple_of=8)] = 64
    """What neighbouring tiles share."""
    find_edges: bool = True
    """Off: the whole width of the image is cloth."""
    selvedge_margin_mm: Annotated[float, Field(ge=0, le=200)] | None = None
    """What is left out from the edge of the cloth inwards; None leaves out the selvedge as it is found."""
    ignored: Annotated[tuple[IgnoredLane, ...], Field(max_length=MOST_LANES)] = ()
    """Lanes of the cloth that are not inspected, whatever lies there."""
    threshold: Annotated[float, Field(ge=0.05, le=100)] = CALIBRATED_THRESHOLD
    """Score from which a place is a defect."""
    false_alarms_per_100_m2: Annotated[float, Field(ge=0.1, le=1000)] | None = None
    """Wanted false alarms; the threshold follows from the cloth that runs, once enough of it was seen. None keeps the
    threshold as it is.
    """
    lowest_threshold: Annotated[float, Field(ge=0.05, le=100)] = 0.7
    highest_threshold: Annotated[float, Field(ge=0.05, le=100)] = 2.0
    """Between these two the threshold may follow."""
    min_area_mm2: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    """Smaller defects are not listed."""
    relative: bool = True
    """Scores are taken relative to the running web; off: as calibrated."""
    find_shade: bool = True
    """Stripes, bars and stains are looked for that are only darker or lighter."""
    shade_percent: Annotated[float, Field(ge=0.2, le=50)] = 2.0
    """Contrast of a stripe 8 mm wide that is a defect, per cent; wider ones from less on, narrower from more."""
    proof_every_m: Annotated[float, Field(ge=0, le=10_000)] = 20.0
    """After so many metres a test piece is painted on a copy of the running cloth; 0 never does."""
    proof_mm: Annotated[float, Field(ge=1, le=8)] = 8.0
    """Painted spots of this diameter and larger must be found."""
    camera_preset: Annotated[str, Field(max_length=4096)] | None = None
    """File of features that the camera is set to for this cloth; None is that of the camera."""
    grading: GradingRules = GradingRules()
    """How its rolls are graded."""
    cutting: CutRules | None = None
    """Into which pieces its rolls are cut; None makes no cut plan."""

    @model_validator(mode="after")
    def _leaves_room_for_the_threshold(self) -> Recipe:
        if self.lowest_threshold > self.highest_threshold:
            raise ValueError(
                f"the threshold may go from {self.lowest_threshold:g} to {self.highest_threshold:g}, which is nothing"
            )
        if self.self_taught and self.fabric is not None:
            raise ValueError(f"a roll teaches itself, or it is {self.fabric}; not both")
        return self

    @property
    def line_mm(self) -> float:
        """Length of a line along the web."""
        return self.mm_per_line if self.mm_per_line is not None else self.mm_per_px


def load_recipe(path: Path) -> Recipe:
    """Reads a recipe from a JSON file.

    Raises:
        RecipeError: the file is missing, no JSON, or a value is out of range.
    """
    try:
        return read_json(path, Recipe)
    except OSError as error:
        raise RecipeError(
            "recipe-unreadable", "The recipe {path} cannot be read: {reason}", path=path, reason=error
        ) from error
    except NotJsonError as error:
        raise RecipeError("recipe-no-json", "The recipe {path} is {reason}", path=path, reason=error) from error
    except ContentError as error:
        raise RecipeError("recipe-wrong", "The recipe {path}: {reason}", path=path, reason=error) from error
