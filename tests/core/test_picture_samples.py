"""Pictures become samples."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cras_core.data.samples.cutting import TILE_PX, Scale, cuts, evenly, pictures_at, samples_of
from cras_core.errors import DataError, UnreadableError
from cras_core.images import list_images, read_image


def weave(lines: int, width_px: int) -> np.ndarray:
    y, x = np.mgrid[:lines, :width_px]
    noise = np.random.default_rng(5).normal(0, 8, (lines, width_px))
    return np.clip(110 + 30 * np.sin(x) * np.cos(y) + noise, 0, 255).astype(np.uint8)


@given(begin=st.integers(0, 3000), length=st.integers(64, 9000))
def test_tiles_lie_evenly_and_reach_both_ends(begin: int, length: int) -> None:
    tiles = evenly(begin, begin + length, TILE_PX)
    starts = [s for s, _ in tiles]
    assert {size for _, size in tiles} == {min(TILE_PX, length)}
    assert all(begin <= s and s + size <= begin + length for s, size in tiles)
    if len(tiles) > 1:
        assert (starts[0], starts[-1] + TILE_PX) == (begin, begin + length)
        steps = np.diff(starts)
        assert np.ptp(steps) <= 1
        assert abs(steps - TILE_PX).max() <= TILE_PX / 2


def test_a_tile_is_taken_as_it_is() -> None:
    for shape in ((512, 512), (256, 256), (700, 760)):
        (cut,) = cuts(weave(*shape))
        assert (cut.first_line, cut.left_px, cut.lines, cut.width_px) == (0, 0, *shape)


def test_a_strip_is_cut_from_edge_to_edge_of_its_cloth() -> None:
    strip = np.full((1100, 2400), 245, np.uint8)
    strip[:, 300:2100] = weave(1100, 1800)
    found = cuts(strip)
    assert {c.first_line for c in found} == {0, 588}
    assert len(found) == 2 * 4
    for row in (found[:4], found[4:]):
        (left, no_right), *middle, (no_left, right) = (c.inspected for c in row)
        assert {no_right, no_left, *middle} == {None, (None, None)}
        assert left == 24, "the ring that does not count lies beside the cloth"
        assert right == 512 - 24
        assert 290 < row[0].left_px + 24 < 340
        assert 2060 < row[-1].left_px + 512 - 24 < 2110
    assert {round(c.cloth_px, -2) for c in found} == {1800}


def test_a_strip_that_is_lower_than_a_tile_gives_low_tiles() -> None:
    assert {(c.lines, c.width_px) for c in cuts(weave(256, 4096))} == {(256, 512)}


def test_too_little_cloth_gives_none() -> None:
    assert cuts(weave(40, 2000)) == []
    assert cuts(weave(40, 40)) == []


def test_samples_say_where_they_come_from(tmp_path: Path) -> None:
    path = tmp_path / "roll 7" / "0012.png"
    path.parent.mkdir()
    cv2.imwrite(str(path), weave(600, 2048))
    made = list(samples_of(path, "denim", Scale(0.1, 0.2), "Ida", "2026-01-02T03:04:05+00:00"))
    assert [s.left_px for s, _ in made] == [0, 512, 1024, 1536]
    picture = read_image(path)
    for sample, tile in made:
        assert sample.web == "roll 7/0012"
        assert (sample.origin, sample.author, sample.choice) == ("file", "Ida", "kept")
        assert (tile == picture[44 : 44 + 512, sample.left_px : sample.left_px + 512]).all()
        assert sample.first_line == 44
        assert sample.position_m == pytest.approx(44 * 0.2 / 1000)
        assert sample.position_mm == pytest.approx((sample.left_px + 256) * 0.1)
        assert sample.cloth_mm == pytest.approx(204.8)
        assert sample.brightness == pytest.approx(tile.mean())
    assert len({s.id for s, _ in made}) == 4


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG and no more")
    with pytest.raises(UnreadableError, match=r"broken\.png"):
        list(samples_of(broken, "denim", Scale(), "", ""))
    small = tmp_path / "small.png"
    cv2.imwrite(str(small), weave(20, 20))
    with pytest.raises(DataError, match=r"small\.png: too little cloth"):
        list(samples_of(small, "denim", Scale(), "", ""))


def test_folders_and_files_are_looked_through(tmp_path: Path) -> None:
    for name in ("b/2.png", "b/10.png", "b/notes.txt", "a.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = pictures_at([tmp_path / "b", tmp_path / "a.png"])
    assert [p.name for p in found] == ["2.png", "10.png", "a.png"]


def test_real_strips_are_cut_beside_their_selvedges(aitex: Path) -> None:
    for path in list_images(aitex / "fabric_03" / "normal")[:4]:
        found = cuts(read_image(path))
        assert len(found) in (5, 6)
        assert min(c.left_px for c in found) > 1000, "the table is on the left"
