"""Procedural cloth: the same for the same seed, whatever the frames; its truth lies in the cloth."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from aoi_fakes import read_all
from hypothesis import given, settings
from hypothesis import strategies as st

from aoi_app.sources.frame import Frame
from aoi_app.sources.loom import BACKGROUNDS, WEAVES, Loom, LoomConfig, LoomSource
from aoi_app.sources.loom_data import write_data_set
from aoi_app.sources.source import EndOfWeb, SourceError

SMALL = {"width_px": 512, "lines_per_s": None}


@pytest.mark.parametrize("weave", list(WEAVES))
def test_a_seed_says_everything(weave: str) -> None:
    config = LoomConfig(weave=weave, width_px=512, seed=3)
    image = Loom(config).weave(700, 200)
    assert image.dtype == np.uint8
    assert image.shape == (200, 512)
    np.testing.assert_array_equal(image, Loom(config).weave(700, 200))
    assert (image != Loom(LoomConfig(weave=weave, width_px=512, seed=4)).weave(700, 200)).mean() > 0.3


@settings(max_examples=12)
@given(st.integers(0, 9000), st.lists(st.integers(1, 150), min_size=2, max_size=4))
def test_lines_look_the_same_whatever_they_are_woven_with(first: int, sizes: list[int]) -> None:
    loom = Loom(LoomConfig(width_px=512, defects_per_1000_lines=3.0, background="table"))
    whole = loom.weave(first, sum(sizes))
    line = 0
    for size in sizes:
        np.testing.assert_array_equal(loom.weave(first + line, size), whole[line : line + size])
        line += size


def test_frames_of_another_size_carry_the_same_web() -> None:
    def web(frame_lines: int) -> np.ndarray:
        source = LoomSource(LoomConfig(frame_lines=frame_lines, total_lines=500, **SMALL))
        return np.concatenate([f.image for f in read_all(source) if isinstance(f, Frame)])

    np.testing.assert_array_equal(web(64), web(500))


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_planted_defects_lie_inside_the_cloth(background: str) -> None:
    config = LoomConfig(width_px=700, background=background, defects_per_1000_lines=8.0, seed=5)
    loom = Loom(config)
    planted = loom.defects(0, 40_000)
    assert len(planted) > 100
    assert {d.shape for d in planted} == {"block", "point", "line"}
    for d in planted:
        left, right = loom.edges(np.arange(d.first_line, d.end_line))
        assert d.first_line < d.end_line
        assert d.left_px < d.right_px
        assert d.left_px >= left.max()
        assert d.right_px <= right.min()


def test_a_planted_defect_changes_the_cloth_there_and_only_there() -> None:
    with_defects = LoomConfig(width_px=700, defects_per_1000_lines=3.0, seed=2)
    loom, clean = Loom(with_defects), Loom(LoomConfig(width_px=700, defects_per_1000_lines=0.0, seed=2))
    planted = next(d for d in loom.defects(0, 40_000) if d.kind == "hole")
    first, end = planted.first_line - 20, planted.end_line + 20
    changed = loom.weave(first, end - first) != clean.weave(first, end - first)
    allowed = np.zeros_like(changed)
    for d in loom.defects(first, end):
        a, b = max(0, d.first_line - first - 4), d.end_line - first + 4  # the lens blurs
        allowed[a:b, d.left_px - 4 : d.right_px + 4] = True
    assert changed[20:-20, planted.left_px : planted.right_px].mean() > 0.4
    assert not changed[~allowed].any()


def test_defects_are_the_same_whatever_lines_are_asked_for() -> None:
    loom = Loom(LoomConfig(defects_per_1000_lines=3.0))
    whole = loom.defects(0, 20_000)
    for first, end in ((0, 100), (1990, 2100), (7000, 12_000), (19_990, 20_000)):
        assert loom.defects(first, end) == [d for d in whole if d.first_line < end and d.end_line > first]


def test_a_roll_ends_after_its_lines() -> None:
    source = LoomSource(LoomConfig(frame_lines=100, total_lines=250, **SMALL))
    assert source.total_lines == 250
    assert [i.lines for i in read_all(source)] == [100, 100, 50]
    with source:
        assert sum(source.read(1.0).lines for _ in range(3)) == 250
        with pytest.raises(EndOfWeb):
            source.read(1.0)


def test_a_roll_without_length_goes_on() -> None:
    source = LoomSource(LoomConfig(frame_lines=16, **SMALL))
    assert source.total_lines is None
    with source:
        assert all(isinstance(source.read(1.0), Frame) for _ in range(40))


def test_the_line_rate_holds_back_the_next_frame() -> None:
    with LoomSource(LoomConfig(width_px=512, frame_lines=64, lines_per_s=0.01)) as source:
        assert source.read(0.01) is not None
        assert source.read(0.01) is None


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (LoomConfig(weave="felt"), "no weave 'felt'.*plain, twill, satin, basket"),
        (LoomConfig(background="pink"), "no background 'pink'.*white, dark, table"),
        (LoomConfig(width_px=300), "at least 436 px"),
        (LoomConfig(frame_lines=8), "16 lines"),
    ],
)
def test_what_the_loom_cannot_weave_is_said(config: LoomConfig, words: str) -> None:
    with pytest.raises(SourceError, match=words):
        Loom(config)


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_the_background_lies_beside_the_cloth(background: str) -> None:
    image = Loom(LoomConfig(background=background, width_px=800)).weave(0, 100)
    beside, cloth = image[:, :60].mean(), image[:, 300:500].mean()
    assert {"white": beside > 240, "dark": beside < 30, "table": 140 < beside < 200}[background]
    assert 40 < cloth < 140


def test_a_data_set_has_pictures_and_masks_that_fit(loom_data: Path) -> None:
    assert sorted(p.name for p in loom_data.iterdir()) == sorted(WEAVES)
    for weave in WEAVES:
        defect = sorted(p.name for p in (loom_data / weave / "defect").iterdir())
        assert defect == sorted(p.name for p in (loom_data / weave / "mask").iterdir())
        assert len(defect) == len(list((loom_data / weave / "normal").iterdir())) == 6
        for name in defect:
            image = cv2.imread(str(loom_data / weave / "defect" / name), cv2.IMREAD_UNCHANGED)
            mask = cv2.imread(str(loom_data / weave / "mask" / name), cv2.IMREAD_UNCHANGED)
            assert image.shape == mask.shape == (512, 1024)
            assert set(np.unique(mask)) == {0, 255}


def test_a_data_set_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_data_set(tmp_path / name, strips=1, lines=64, width_px=512, seed=5)
    one = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*.png"))
    assert len(one) == 3 * len(WEAVES)
    for path in one:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()


def test_a_data_set_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SourceError, match="file cannot be written"):
        write_data_set(tmp_path / "file", strips=1, lines=64, width_px=512, seed=5)
