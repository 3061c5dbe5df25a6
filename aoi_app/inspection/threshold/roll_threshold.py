"""Which threshold holds on a roll, and why: the recipe of the order or of the cloth, a hand, or the wanted rate."""

from __future__ import annotations

from collections.abc import Mapping

from aoi_app.inspection.threshold.wanted_rate import WantedRate
from aoi_app.inspection.web.scored_band import ScoredBand
from aoi_app.settings.active_recipe import ActiveRecipe
from aoi_app.settings.recipe import Recipe


class RollThreshold:
    """
    Attributes:
        value: score from which a place is a defect; holds for cloth that is still to come.
        promised: the one that the recipe or the wanted rate gives; ``value`` is another where a hand has set it.
    """

    def __init__(self, recipe: Recipe, own: Mapping[str, Recipe], wanted_rate: WantedRate) -> None:
        """
        Args:
            recipe: what the roll was begun with.
            own: the recipes of fabrics, by fabric.
            wanted_rate: what was learnt of the scores of good cloth.
        """
        self._active = ActiveRecipe(recipe, own)
        self._wanted_rate = wanted_rate
        self.value = self.promised = self._of_recipe = recipe.threshold

    @property
    def recipe(self) -> Recipe:
        """The recipe whose limits hold."""
        return self._active.now

    def set_by_hand(self, value: float) -> None:
        """Somebody wants another one; it does not follow the cloth any more on this roll."""
        if value != self.value:
            self._wanted_rate.stop_following()
        self.value = value

    def take_edits(self, standard: Recipe, own: Mapping[str, Recipe]) -> str | None:
        """Recipes were edited; a sentence where other limits hold from here on (``ActiveRecipe.take_edits``)."""
        return self._followed(self._active.take_edits(standard, own))

    def follow_cloth(self, fabric: str) -> str | None:
        """The cloth matches a fabric; a sentence where other limits hold from here on."""
        return self._followed(self._active.follow_cloth(fabric))

    def follow_rate(self, band: ScoredBand, model: str) -> str | None:
        """Learns from a band that a model has scored; a sentence where the wanted rate needs another threshold."""
        new = self._wanted_rate.take(band, self.recipe, model, self.value)
        if new is None:
            return None
        self.value = self.promised = new.value
        return new.text

    def keep(self) -> None:
        """Writes what was learnt."""
        self._wanted_rate.keep()

    def _followed(self, text: str | None) -> str | None:
        recipe = self._active.now
        if text is not None and recipe.threshold != self._of_recipe:  # else what a hand has set stays
            self.value = self.promised = self._of_recipe = recipe.threshold
        return text
