"""Bad samples among good ones, and samples that show the same place twice."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import FabricRecord, Sample
from cras_core.detectors.cras.detector import CrasDetector
from cras_core.errors import DataError
from cras_core.evaluation.near_duplicates import DuplicateFilter, digest, is_near_duplicate
from cras_core.evaluation.suspicion import score_samples, suspicions
from cras_core.images import list_images, read_image

SIDE = 128


def cloth(loom_data: Path, weave: str) -> list[np.ndarray]:
    """Tiles of good cloth of a weave, each of another place."""
    return [
        strip[top : top + SIDE, left : left + SIDE]
        for path in list_images(loom_data / weave / "normal")
        for strip in [read_image(path)]
        for top in (64, 256)
        for left in (320, 512)
    ]


def with_hole(tile: np.ndarray) -> np.ndarray:
    spoilt = tile.copy()
    cv2.circle(spoilt, (50, 70), 12, 20, -1)
    return spoilt


@pytest.fixture
def store(loom_data: Path, tmp_path: Path) -> SampleStore:
    """A fabric that the model does not know, with four bad samples of twenty-two."""
    good, other = cloth(loom_data, "satin"), cloth(loom_data, "basket")
    bad = [with_hole(good[0]), np.full((SIDE, SIDE), 12, np.uint8), other[0], (good[1] * 0.5).astype(np.uint8)]
    store = SampleStore(tmp_path)
    store.begin(FabricRecord("satin"))
    for kind, tiles in (("good", good[2:20]), ("bad", bad)):
        for i, tile in enumerate(tiles):
            store.add(Sample(f"{kind}-{i}", "satin", "collected", "roll-1", brightness=float(tile.mean())), tile)
    return store


def test_defects_table_other_cloth_and_bad_light_stand_out(store: SampleStore, inspector: CrasDetector) -> None:
    told: list[tuple[str, int, int]] = []
    assert "satin" not in inspector.fabrics
    judged = score_samples(store, "satin", inspector, lambda path, done, n: told.append((path.name, done, n)))
    assert told[-1][1:] == (22, 22)
    by_kind = {s.id: s.suspicion for s in judged}
    assert all(by_kind[f"bad-{i}"] >= 1 for i in range(4)), by_kind
    assert sum(by_kind[f"good-{i}"] >= 1 for i in range(18)) <= 1, by_kind
    assert {s.id: s.suspicion for s in store.samples("satin")} == by_kind


def test_what_is_known_to_be_bad_is_not_judged_again(store: SampleStore, inspector: CrasDetector) -> None:
    samples = {s.id: s for s in store.samples("satin")}
    for i in range(4):
        store.update(Sample(f"bad-{i}", "satin", "collected", "roll-1", choice="thrown out", suspicion=3.0))
    judged = score_samples(store, "satin", inspector)
    assert len(judged) == len(samples) - 4
    assert [s.suspicion for s in store.samples("satin") if s.choice == "thrown out"] == [3.0] * 4


def test_stopping_changes_no_sample(store: SampleStore, inspector: CrasDetector) -> None:
    done: list[int] = []
    with pytest.raises(DataError, match="stopped; no sample was changed"):
        score_samples(store, "satin", inspector, lambda _, n, __: done.append(n), lambda: len(done) >= 3)
    assert {s.suspicion for s in store.samples("satin")} == {None}


def test_too_few_samples_are_said(inspector: CrasDetector) -> None:
    with pytest.raises(DataError, match="7 samples are too few to be judged by each other; collect 8"):
        suspicions(7, lambda _: pytest.fail("asked for features"))


def test_eight_tiles_of_one_cloth_and_equal_tiles_are_judged(loom_data: Path, inspector: CrasDetector) -> None:
    tiles = cloth(loom_data, "plain")
    features = [inspector.extract_features(tile[None]).vectors[0] for tile in tiles[:8]]
    assert (suspicions(8, features.__getitem__) < 1).sum() >= 7
    assert (suspicions(8, lambda _: features[0]) < 1).all()


def test_tiles_at_the_side_are_compared_with_each_other_where_their_place_is_known() -> None:
    """Light falls off towards the side: such tiles are few, and all alike."""
    rng = torch.Generator().manual_seed(0)
    at_side = [i % 8 == 7 for i in range(64)]
    tiles = [
        torch.randn(12, 12, 16, generator=rng) + (2.5 if side else 0.05 * (i % 5)) for i, side in enumerate(at_side)
    ]
    without = suspicions(len(tiles), tiles.__getitem__)
    assert all(x >= 1 for x, side in zip(without, at_side, strict=True) if side)
    known = suspicions(len(tiles), tiles.__getitem__, across=[0.95 if side else 0.4 for side in at_side])
    assert (known < 1).all()


def test_a_place_seen_again_is_a_duplicate_and_another_place_is_not(loom_data: Path, inspector: CrasDetector) -> None:
    strip = read_image(list_images(loom_data / "plain" / "normal")[0])
    noise = np.random.default_rng(0).normal(0, 1, strip.shape)
    again = np.clip(strip + noise, 0, 255).astype(np.uint8)

    def look(picture: np.ndarray, top: int, left: int) -> np.ndarray:
        return digest(inspector.extract_features(picture[None, top : top + SIDE, left : left + SIDE]).vectors[0])

    here = look(strip, 64, 400)
    assert is_near_duplicate(here, look(strip, 64, 400))
    assert is_near_duplicate(here, look(again, 64, 400))
    assert not is_near_duplicate(here, look(strip, 300, 620))
    assert not is_near_duplicate(here, digest(inspector.extract_features(strip[None, :64, :64]).vectors[0]))


def test_the_filter_lets_each_place_through_once_and_forgets_the_oldest(
    loom_data: Path, inspector: CrasDetector
) -> None:
    a, b, c = (inspector.extract_features(tile[None]).vectors[0] for tile in cloth(loom_data, "plain")[:3])
    seen = DuplicateFilter(most=2)
    assert [seen.is_new(t) for t in (a, b, a, b)] == [True, True, False, False]
    assert seen.is_new(c)
    assert seen.is_new(a)
