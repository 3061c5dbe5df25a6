"""The table of kinds of detectors: everybody asks it, nobody knows a kind by its class."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
import torch

from cras_core.config.presets import cloth
from cras_core.config.reading import with_settings
from cras_core.config.settings import HeadConfig
from cras_core.detectors.kinds import KINDS, kind_of
from cras_core.registry.bundle import Bundle

CORE = Path(__file__).parents[2] / "cras_core"


def test_every_detector_that_settings_can_name_has_a_row() -> None:
    names = get_args(get_type_hints(HeadConfig)["detector"])
    assert list(KINDS) == list(names)
    for name in names:
        assert kind_of(with_settings(cloth(), {"heads.detector": name})).name == name


@pytest.mark.parametrize("path", sorted(CORE.rglob("*.py")), ids=lambda p: str(p.relative_to(CORE)))
def test_nobody_else_knows_a_kind_by_its_class(path: Path) -> None:
    """A third detector means one folder and one row. Studies may name the methods that they set side by side."""
    own_room = path.relative_to(CORE).as_posix()
    if own_room.startswith(("detectors/anomnet/", "detectors/cras/", "config/")) or own_room == "detectors/kinds.py":
        return
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\b(AnomNet|Cras)(Detector|Training)\b", text)
    assert not re.search(r"[!=]= [\"'](anomnet|cras)[\"']", text)


def test_a_detector_whose_parts_cannot_fail_is_healthy(bundle: Bundle) -> None:
    detector = kind_of(bundle.config).detector.from_bundle(bundle, "cpu")
    assert detector.health([]).problems == ()
    assert detector.health([]).failure == ""
    assert detector.evolution == {}


def test_the_graph_of_a_detector_scores_as_it_does(bundle: Bundle) -> None:
    detector = kind_of(bundle.config).detector.from_bundle(bundle, "cpu")
    t = torch.randn(2, 4, 5, detector.extractor.dimension, generator=torch.Generator().manual_seed(0))
    fabric = torch.tensor([0, 1])
    heads = detector.graph_heads((4, 5))
    with torch.inference_mode():
        torch.testing.assert_close(heads(t, fabric), detector.score(t, fabric))
        torch.testing.assert_close(heads.match(t), detector.match(t))
