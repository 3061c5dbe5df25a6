"""Which recipe's limits hold on a running roll: that of the order, of the cloth as it matches, or the line's own."""

from __future__ import annotations

from collections.abc import Mapping

from aoi_app.settings.recipe import Recipe

_NOT_IN_MID_ROLL = (
    "mm_per_px",
    "line_mm",
    "overlap_px",
    "find_edges",
    "selvedge_margin_mm",
    "ignored",
    "find_shade",
    "shade_percent",
    "proof_every_m",
    "proof_mm",
)


class ActiveRecipe:
    """Threshold and smallest defect follow the cloth; everything else is that of the roll's recipe to its end."""

    def __init__(self, roll: Recipe, own: Mapping[str, Recipe]) -> None:
        """
        Args:
            roll: what the roll was begun with.
            own: the recipes of fabrics, by fabric.
        """
        self._roll = roll
        self._standard = roll
        self._own = dict(own)
        self._fabric = roll.fabric
        self.now = roll
        """The recipe whose limits hold."""

    def follow_cloth(self, fabric: str) -> str | None:
        """The cloth matches a fabric; a sentence where other limits hold from here on. With a fabric that the order
        names nothing follows the cloth.
        """
        if self._roll.fabric is None and fabric != self._fabric:
            self._fabric = fabric
            return self._choose()
        return None

    def take_edits(self, standard: Recipe, own: Mapping[str, Recipe]) -> str | None:
        """Somebody has edited recipes; a sentence where other limits hold from here on.

        Args:
            standard: for cloth that has no recipe of its own.
            own: the recipes of fabrics, by fabric.
        """
        before = self._wanted()
        if self._roll.fabric is None:
            self._standard = standard
        self._own = dict(own)
        return self._choose() if self._wanted() != before else None

    def _wanted(self) -> Recipe:
        own = self._own.get(self._fabric) if self._fabric is not None else None
        return own or self._standard

    def _choose(self) -> str | None:
        before, self.now = self.now, self._wanted()
        if (self.now.threshold, self.now.min_area_mm2) == (before.threshold, before.min_area_mm2):
            return None
        whose = f"recipe of {self._fabric}" if self.now is not self._standard else f"recipe {self.now.name}"
        text = f"the {whose} holds: threshold {self.now.threshold:g}, smallest defect {self.now.min_area_mm2:g} mm²"
        if any(getattr(self.now, name) != getattr(self._roll, name) for name in _NOT_IN_MID_ROLL):
            text += "; its scale, overlap, margins and shade can only hold from the beginning of a roll"
        return text
