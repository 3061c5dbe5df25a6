"""The kinds of detectors that can be trained: the one table that a new kind joins.

A kind is a folder of its own below ``detectors``, a row here, and its name in ``config/settings.py``: in
``HeadConfig.detector``, and, where it needs settings of its own, as a section of ``CrasConfig`` that is named in
``_SECTIONS_OF_KINDS`` there, so that the models of other kinds keep their identities. Whoever loads, trains,
exports, evaluates or studies models asks this table and knows no kind by its class.
"""

from __future__ import annotations

from dataclasses import dataclass

from cras_core.config.settings import CrasConfig
from cras_core.detectors.anomnet.detector import AnomNetDetector
from cras_core.detectors.anomnet.training import AnomNetTraining
from cras_core.detectors.cras.detector import CrasDetector
from cras_core.detectors.cras.training import CrasTraining
from cras_core.detectors.trained import TrainedDetector
from cras_core.detectors.training import DetectorTraining


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of detector.

    Attributes:
        name: value of the setting ``heads.detector``.
        title: as its authors write it, for tables.
        detector: reads bundles of this kind.
        training: makes such detectors.
    """

    name: str
    title: str
    detector: type[TrainedDetector]
    training: type[DetectorTraining]


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("cras", "CRAS", CrasDetector, CrasTraining),
        Kind("anomnet", "AnomNet", AnomNetDetector, AnomNetTraining),
    )
}
"""By name, in the order of tables."""


def kind_of(config: CrasConfig) -> Kind:
    """The kind of detector that settings describe."""
    return KINDS[config.heads.detector]
