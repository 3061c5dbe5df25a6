"""The threshold that keeps the wanted rate of false alarms, learnt from the cloth that runs."""

from __future__ import annotations

from dataclasses import dataclass

from aoi_app.inspection.web.scored_band import ScoredBand
from aoi_app.settings.recipe import Recipe
from aoi_app.settings.running_tails import RunningTails

_SMALLEST_CHANGE = 0.03  # of the threshold; less is not worth a sentence
_LOOK_EVERY_M2 = 0.5
_KEEP_EVERY_M2 = 20.0


@dataclass(frozen=True, slots=True)
class NewThreshold:
    """Another threshold holds from here on.

    Attributes:
        value: it.
        text: why, for a person.
    """

    value: float
    text: str


class WantedRate:
    """Learns from every band of cloth, and follows it where the recipe wants a rate of false alarms.

    A hand that sets the threshold ends the following for the roll; learning goes on.
    """

    def __init__(self, tails: RunningTails) -> None:
        self._tails = tails
        self._is_following = True
        self._not_looked_m2 = _LOOK_EVERY_M2
        self._not_kept_m2 = 0.0

    def stop_following(self) -> None:
        """Somebody has set the threshold by hand."""
        self._is_following = False

    def take(self, band: ScoredBand, recipe: Recipe, model: str, threshold: float) -> NewThreshold | None:
        """Learns from a band; returns another threshold where the wanted rate needs one.

        Args:
            band: scored cloth; its fabric is known.
            recipe: that holds for it.
            model: identity of the one that scored it.
            threshold: in use.
        """
        if band.fabric is None:
            return None
        tail = self._tails.of(band.fabric)
        tail.scored_by(model)
        side = band.rows.cell_px / 1000.0
        new = tail.add(band.rows.score, side * recipe.mm_per_px * side * recipe.line_mm, threshold)
        self._not_looked_m2 += new
        self._not_kept_m2 += new
        if self._not_kept_m2 >= _KEEP_EVERY_M2:
            self.keep()
        wanted = recipe.false_alarms_per_100_m2
        if wanted is None or not self._is_following or self._not_looked_m2 < _LOOK_EVERY_M2:
            return None
        self._not_looked_m2 = 0.0
        found = tail.threshold(wanted / 100.0)
        if found is None:
            return None
        value = round(min(max(found, recipe.lowest_threshold), recipe.highest_threshold), 2)
        if abs(value - threshold) < _SMALLEST_CHANGE * threshold:
            return None
        bound = "" if value == round(found, 2) else f"; {found:.2f} would be beyond what the recipe allows"
        return NewThreshold(
            value,
            f"threshold {threshold:.2f} → {value:.2f}: from the last {tail.area_m2:.0f} m² of {band.fabric}, "
            f"{wanted:g} false alarms per 100 m² are expected at it{bound}",
        )

    def keep(self) -> None:
        """Writes what was learnt."""
        self._not_kept_m2 = 0.0
        self._tails.keep()
