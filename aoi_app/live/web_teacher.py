"""Makes a model of the first cloth of a roll."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from aoi_app.background.memory import give_memory_back
from aoi_app.live.first_cloth import TaughtModel, Teach
from cras_core.arrays import Image
from cras_core.errors import CrasError
from cras_core.web.calibration import THIS_WEB

logger = logging.getLogger(__name__)

_KEPT = 20  # models that webs have taught; who wants to keep one enrols its cloth


def web_teacher(bundle: Path, device: str, precision: str, folder: Path) -> Teach:
    """Teaches a model by a web.

    Args:
        bundle: the model that is to learn the cloth; it stays as it is.
        device, precision: as for ``load_model``.
        folder: where the models that come of it are kept, by their identities; the latest of them.
    """

    def teach(pieces: Sequence[Image]) -> TaughtModel:
        from cras_core.loading import detector_of
        from cras_core.registry.bundle import read_bundle, write_bundle
        from cras_core.training import self_taught

        taught = self_taught.teach(read_bundle(bundle), pieces, device)
        detector = detector_of(taught.bundle, device, precision)
        identity = taught.bundle.identity
        file: Path | None = folder / f"{identity}.cras"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_bundle(taught.bundle, folder / f"{identity}.cras")
            _keep_latest(folder)
        except (OSError, CrasError) as error:  # the roll goes on all the same, its records name a model that is lost
            file = None
            logger.error("the model that this web has taught was not kept in %s: %s", folder, error)
        logger.info("model %s %s", identity, taught.text)
        give_memory_back()
        return TaughtModel(detector, identity, THIS_WEB, taught.text, file)

    return teach


def _keep_latest(folder: Path) -> None:
    made = sorted(folder.glob("*.cras"), key=lambda path: path.stat().st_mtime)
    for old in made[:-_KEPT]:
        old.unlink(missing_ok=True)
