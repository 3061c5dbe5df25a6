"""A folder of pictures as a web: which pictures, in which order, and what becomes of those that cannot be read."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from aoi_fakes import png, read_all
from PIL import Image

from aoi_app.sources.folder import FolderConfig, FolderSource
from aoi_app.sources.frame import Frame, Lost
from aoi_app.sources.source import SourceError


def write(path: Path, lines: int = 20, width_px: int = 80, value: int = 100) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png(np.full((lines, width_px), value, np.uint8)))


def names(folder: Path, **options: bool) -> list[str]:
    return [item.source for item in read_all(FolderSource(FolderConfig(folder, **options)))]


def test_pictures_come_in_natural_order(tmp_path: Path) -> None:
    for name in ("strip10.png", "strip9.png", "strip1.png", "Strip2.PNG"):
        write(tmp_path / name)
    assert names(tmp_path) == ["strip1.png", "Strip2.PNG", "strip9.png", "strip10.png"]


def test_what_is_no_picture_by_its_name_is_not_looked_at(tmp_path: Path) -> None:
    write(tmp_path / "a.png")
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / ".hidden.png").write_bytes(b"left over")
    (tmp_path / "folder.png").mkdir()
    assert names(tmp_path) == ["a.png"]


def test_sub_folders_are_read_when_no_picture_lies_on_top(tmp_path: Path) -> None:
    for name in ("roll10/b.png", "roll2/a.png", "roll2/deep/c.png"):
        write(tmp_path / name)
    assert names(tmp_path) == ["roll2/a.png", "roll2/deep/c.png", "roll10/b.png"]


def test_sub_folders_beside_pictures_are_named_as_not_read(tmp_path: Path) -> None:
    write(tmp_path / "top.png")
    write(tmp_path / "below" / "a.png")
    write(tmp_path / "mask" / "top.png")
    write(tmp_path / "inspected" / "itdd" / "a.png")  # what an inspection of the folder has left in it
    (tmp_path / "inspected" / "records.db").touch()
    left_out, picture = read_all(FolderSource(FolderConfig(tmp_path)))
    assert isinstance(left_out, Lost)
    assert (left_out.source, left_out.lines) == ("below", 0)
    assert "sub-folder below holds pictures and was not read" in left_out.reason
    assert picture.source == "top.png"


def test_links_to_folders_above_are_followed_once(tmp_path: Path) -> None:
    write(tmp_path / "roll1" / "a.png")
    write(tmp_path / "roll2" / "b.png")
    (tmp_path / "roll1" / "up").symlink_to(tmp_path)
    (tmp_path / "roll2" / "self").symlink_to(tmp_path / "roll2")
    (tmp_path / "roll2" / "other").symlink_to(tmp_path / "roll1")
    assert names(tmp_path) == ["roll1/a.png", "roll2/b.png"]


def test_folders_may_lie_very_deep(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(400):
        deep = deep / "d"
        deep.mkdir()
    write(deep / "a.png")
    assert len(names(tmp_path)) == 1


@pytest.mark.parametrize(("name", "kind"), [("2.pgm", ".pgm"), ("2.jfif", ".jpg"), ("2.unknown", ".png")])
def test_pictures_with_other_endings_are_inspected(tmp_path: Path, name: str, kind: str) -> None:
    write(tmp_path / "1.png")
    (tmp_path / name).write_bytes(cv2.imencode(kind, np.full((20, 80), 100, np.uint8))[1].tobytes())
    assert [type(i) for i in read_all(FolderSource(FolderConfig(tmp_path)))] == [Frame, Frame]


@pytest.mark.parametrize("name", ["2.heic", "2.raw", "2.npy", "2.jp2"])
def test_pictures_of_kinds_that_are_not_read_are_named(tmp_path: Path, name: str) -> None:
    write(tmp_path / "1.png")
    (tmp_path / name).write_bytes(b"whatever it holds")
    _, lost = read_all(FolderSource(FolderConfig(tmp_path)))
    assert isinstance(lost, Lost)
    assert name in lost.reason


def test_a_turned_picture_has_the_lines_that_a_viewer_shows(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(np.zeros((30, 80), np.uint8)).save(tmp_path / "a.jpg", exif=exif)
    source = FolderSource(FolderConfig(tmp_path))
    with source:
        assert source.total_lines == 80
        frame = source.read(1.0)
    assert isinstance(frame, Frame)
    assert frame.image.shape == (80, 30)


def test_a_folder_that_is_taken_away_leaves_its_metres_and_its_reason(tmp_path: Path) -> None:
    for k in range(4):
        write(tmp_path / "stick" / f"{k}.png", lines=10 * (k + 1))
    with FolderSource(FolderConfig(tmp_path / "stick")) as source:
        source.read(1.0)
        shutil.rmtree(tmp_path / "stick")
        gone = source.read(1.0)
        with pytest.raises(SourceError, match="is gone; pictures of it that were not inspected: 3"):
            source.read(1.0)
    assert isinstance(gone, Lost)
    assert gone.lines == 20 + 30 + 40
    assert "is gone; pictures of it that were not inspected: 3" in gone.reason


def test_many_pictures_are_opened_without_reading_all_their_heads(tmp_path: Path) -> None:
    for k in range(2100):
        (tmp_path / f"{k}.png").touch()
    source = FolderSource(FolderConfig(tmp_path))
    with source:
        assert source.total_lines is None  # nobody knows it before they are read


@pytest.mark.parametrize("mask", ["mask", "masks", "ground_truth", "Ground_Truth"])
def test_folders_of_masks_are_not_cloth(tmp_path: Path, mask: str) -> None:
    write(tmp_path / "twill" / "normal" / "a.png")
    write(tmp_path / "twill" / mask / "a.png")
    write(tmp_path / mask / "deep" / "b.png")
    assert names(tmp_path) == ["twill/normal/a.png"]


def test_a_looping_folder_begins_again_and_has_no_length(tmp_path: Path) -> None:
    write(tmp_path / "a.png")
    write(tmp_path / "b.png")
    with FolderSource(FolderConfig(tmp_path, loop=True)) as source:
        assert source.total_lines is None
        read = [source.read(1.0) for _ in range(5)]
    assert [r.source for r in read if r is not None] == ["a.png", "b.png", "a.png", "b.png", "a.png"]


@pytest.mark.parametrize("separate", [True, False])
def test_separate_pictures_are_webs_of_their_own(tmp_path: Path, separate: bool) -> None:
    write(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"")
    items = read_all(FolderSource(FolderConfig(tmp_path, separate=separate)))
    assert [i.starts_web for i in items] == [separate, separate]


def test_pictures_of_any_size_and_kind_come_as_they_are(tmp_path: Path) -> None:
    write(tmp_path / "1.png", 20, 80)
    write(tmp_path / "2.png", 700, 33)
    (tmp_path / "3.png").write_bytes(png(np.zeros((5, 6, 3), np.uint8)))
    write(tmp_path / "4.png", 1, 1)
    source = FolderSource(FolderConfig(tmp_path))
    with source:
        assert source.total_lines == 20 + 700 + 5 + 1
    items = read_all(source)
    assert [i.image.shape for i in items if isinstance(i, Frame)] == [(20, 80), (700, 33), (5, 6, 3), (1, 1)]


def test_colours_are_rgb(tmp_path: Path) -> None:
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 2] = 200  # OpenCV writes BGR
    cv2.imwrite(str(tmp_path / "red.png"), red)
    (item,) = read_all(FolderSource(FolderConfig(tmp_path)))
    assert isinstance(item, Frame)
    np.testing.assert_array_equal(item.image[0, 0], [200, 0, 0])


def test_sixteen_bits_are_read_with_the_depth_of_all_pictures(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(png(np.full((4, 4), 800, np.uint16)))  # alone it would pass for 10 bits
    (tmp_path / "2.png").write_bytes(png(np.full((4, 4), 4000, np.uint16)))  # 12 bits are used
    first, second = read_all(FolderSource(FolderConfig(tmp_path)))
    assert isinstance(first, Frame)
    assert isinstance(second, Frame)
    assert (first.image[0, 0], second.image[0, 0]) == (800 >> 4, 4000 >> 4)


def test_a_given_depth_wins_over_the_guess(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(png(np.full((4, 4), 4000, np.uint16)))
    (item,) = read_all(FolderSource(FolderConfig(tmp_path, bits=16)))
    assert isinstance(item, Frame)
    assert item.image[0, 0] == 4000 >> 8


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    image = np.full((4, 4, 4), 50, np.uint8)
    image[..., 3] = 255
    image[:2, :, 3] = 0
    (tmp_path / "alpha.png").write_bytes(png(image))
    (item,) = read_all(FolderSource(FolderConfig(tmp_path)))
    assert isinstance(item, Frame)
    assert item.image.shape == (4, 4, 3)
    assert (int(item.image[0, 0, 0]), int(item.image[3, 0, 0])) == (255, 50)


def test_a_picture_that_cannot_be_read_is_lost_by_name_and_the_others_are_not(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    whole = png(rng.integers(0, 255, (300, 80), dtype=np.uint8))
    write(tmp_path / "1 good.png")
    (tmp_path / "2 cut off.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "3 text.png").write_text("this is a letter to the mill")
    (tmp_path / "4 empty.png").write_bytes(b"")
    write(tmp_path / "5 good.png")
    items = read_all(FolderSource(FolderConfig(tmp_path)))
    assert [type(i) for i in items] == [Frame, Lost, Lost, Lost, Frame]
    lost = [i for i in items if isinstance(i, Lost)]
    assert [i.source for i in lost] == ["2 cut off.png", "3 text.png", "4 empty.png"]
    assert [i.lines for i in lost] == [300, 0, 0]  # the header of the first one is whole
    for item in lost:
        assert item.source in item.reason


def test_a_picture_that_is_gone_when_its_turn_comes_is_lost(tmp_path: Path) -> None:
    write(tmp_path / "1.png")
    write(tmp_path / "2.png")
    write(tmp_path / "3.png")
    with FolderSource(FolderConfig(tmp_path)) as source:
        source.read(1.0)
        (tmp_path / "2.png").unlink()
        gone, after = source.read(1.0), source.read(1.0)
    assert isinstance(gone, Lost)
    assert "2.png" in gone.reason
    assert isinstance(after, Frame)


def test_floating_point_pictures_are_lost_with_a_reason(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "float.tif"), np.ones((8, 8), np.float32))
    (item,) = read_all(FolderSource(FolderConfig(tmp_path)))
    assert isinstance(item, Lost)
    assert "float.tif" in item.reason
    assert "8 or 16 bits" in item.reason


def test_a_folder_of_nothing_readable_loses_every_picture(tmp_path: Path) -> None:
    for k in range(3):
        (tmp_path / f"{k}.jpg").write_bytes(b"\xff\xd8\xff")
    source = FolderSource(FolderConfig(tmp_path))
    with source:
        assert source.total_lines == 0
    items = read_all(source)
    assert [type(i) for i in items] == [Lost] * 3


def test_a_missing_folder_is_said_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no folder .*nowhere") as caught:
        FolderSource(FolderConfig(tmp_path / "nowhere")).__enter__()
    assert "--source folder:PATH" in caught.value.hint


def test_a_file_in_place_of_a_folder_is_said(tmp_path: Path) -> None:
    write(tmp_path / "a.png")
    with pytest.raises(SourceError, match=r"a\.png is a file"):
        FolderSource(FolderConfig(tmp_path / "a.png")).__enter__()


def test_an_empty_folder_is_said_with_what_would_be_a_picture(tmp_path: Path) -> None:
    (tmp_path / "mask").mkdir()
    write(tmp_path / "mask" / "a.png")
    with pytest.raises(SourceError, match=r"no pictures in .*\.png"):
        FolderSource(FolderConfig(tmp_path)).__enter__()


def test_a_folder_is_live_only_with_a_line_rate(tmp_path: Path) -> None:
    assert not FolderSource(FolderConfig(tmp_path, is_live=True)).is_live
    assert FolderSource(FolderConfig(tmp_path, is_live=True, lines_per_s=10.0)).is_live


def test_the_line_rate_holds_back_the_next_picture(tmp_path: Path) -> None:
    write(tmp_path / "1.png", 3600)
    write(tmp_path / "2.png")
    with FolderSource(FolderConfig(tmp_path, lines_per_s=1.0)) as source:
        assert isinstance(source.read(0.01), Frame)
        assert source.read(0.01) is None  # an hour of lines has gone by with the first


def test_a_source_can_be_opened_again_from_its_beginning(tmp_path: Path) -> None:
    write(tmp_path / "1.png")
    write(tmp_path / "2.png")
    source = FolderSource(FolderConfig(tmp_path))
    assert [i.source for i in read_all(source)] == [i.source for i in read_all(source)] == ["1.png", "2.png"]


def test_a_picture_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import cras_core.image_file

    for k in range(3):
        write(tmp_path / f"{k}.png")
    decoded: list[str] = []
    really = cras_core.image_file.decode

    def counting(data: bytes, name: str, behind: int) -> object:
        decoded.append(Path(name).name)
        return really(data, name, behind)

    monkeypatch.setattr(cras_core.image_file, "decode", counting)
    read_all(FolderSource(FolderConfig(tmp_path)))
    assert decoded.count("1.png") == decoded.count("2.png") == 1  # the first tells the depth as well
