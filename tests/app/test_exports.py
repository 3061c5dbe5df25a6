"""A roll as files: a table, JSON, a data set in ITDD's layout, and anomaly maps."""

import contextlib
import csv
import json
import shutil
import weakref
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from aoi_fakes import PLAIN, cut_frames, dark, frame, inspect_all, roll_inspection
from sqlalchemy import Engine, update

from aoi_app.inspection.reporting.outcome import Outcome
from aoi_app.inspection.web.source_spans import SourceSpan
from aoi_app.inspection.web.tiles import TilePlace, TileSample
from aoi_app.records.database import open_database
from aoi_app.records.errors import RecordsError
from aoi_app.records.export import CsvFormat, export_roll, write_csv, write_json
from aoi_app.records.maps import MapWriter
from aoi_app.records.reading import EXPORTED, read_roll
from aoi_app.records.roll_log import RollLog
from aoi_app.records.tables import RollRow
from aoi_app.records.tile_places import PLACES
from aoi_app.records.tiles import TileWriter
from aoi_app.sources.frame import Frame, Lost

PLACE = TilePlace(0, 0, 512, 512, 0.0, 512.0)


@pytest.fixture
def engine(tmp_path: Path) -> Any:
    engine = open_database(f"sqlite:///{tmp_path / 'records.db'}")
    yield engine
    engine.dispose()


def web() -> list[Frame]:
    """Three pictures with a defect over a border, a point and a line."""
    image = dark(1500, 640)
    image[480:560, 200:304] = 230
    image[800:816, 48:64] = 180
    image[1200:1208, 96:496] = 150
    return cut_frames(image, [500, 500, 500])


def recorded(engine: Engine, items: list[Frame | Lost], tiles: Path | None = None) -> tuple[int, list[Outcome]]:
    inspection = roll_inspection(keep_tiles=tiles is not None)
    outcomes = inspect_all(inspection, items)
    log = RollLog(engine, name="r 1", source="s", model="m", recipe=PLAIN.model_dump(), threshold=1.0, tiles=tiles)
    for outcome in outcomes:
        log.write(outcome, {"length_m": inspection.line * 0.0002})
    log.close("finished")
    if tiles is not None:
        writer = TileWriter(tiles, "r 1")
        for outcome in outcomes:
            writer.write(outcome.tiles)
    return log.roll_id, outcomes


def png_of(path: Path) -> np.ndarray:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))


def test_the_json_has_what_the_customer_asked_for(engine: Engine, tmp_path: Path) -> None:
    frames = web()
    roll_id, _ = recorded(engine, [*frames, Lost(20, "torn", "x.png")])
    write_json(read_roll(engine, roll_id), tmp_path / "out" / "defects.json")
    roll = json.loads((tmp_path / "out" / "defects.json").read_text(encoding="utf-8"))
    assert set(roll) == {"roll", "defects", "gaps", "remarks", "alarms"}
    assert roll["gaps"] == [
        {
            "first_line": 1500,
            "lines": 20,
            "position_m": pytest.approx(0.3),
            "length_m": 0.004,
            "reason": "torn",
            "is_wanted": False,
        }
    ]
    assert [d["id"] for d in roll["defects"]] == [1, 2, 3]
    assert [d["shape"] for d in roll["defects"]] == ["block", "point", "line"]
    sizes = {f.source: f for f in frames}
    for d in roll["defects"]:
        assert d["fabric"] == "plain"
        for name in ("position_m", "position_mm", "length_mm", "width_mm", "area_mm2", "peak", "mean", "raw_peak"):
            assert isinstance(d[name], float), name
        assert d["mean"] <= d["peak"]
        assert d["is_open"] is False
        assert d["boxes"]
        for box in d["boxes"]:
            assert set(box) == {"source", "x_px", "y_px", "w_px", "h_px"}
            picture = sizes[box["source"]]
            assert 0 <= box["x_px"] < box["x_px"] + box["w_px"] <= picture.width_px
            assert 0 <= box["y_px"] < box["y_px"] + box["h_px"] <= picture.lines
    first = roll["defects"][0]
    assert (first["position_m"], first["position_mm"]) == (0.096, 50.4)
    assert (first["length_mm"], first["width_mm"], first["area_mm2"]) == (16.0, 20.8, 332.8)
    assert (first["peak"], first["mean"]) == (2.3, 2.3)
    assert [b["source"] for b in first["boxes"]] == ["f0000.png", "f0001.png"]


def test_the_table_has_one_line_for_a_defect(engine: Engine, tmp_path: Path) -> None:
    roll_id, _ = recorded(engine, web())
    roll = read_roll(engine, roll_id)
    write_csv(roll, tmp_path / "defects.csv")
    with (tmp_path / "defects.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        *("id", "fabric", "shape", "position_m", "position_mm", "length_mm", "width_mm", "area_mm2"),
        *("peak", "mean", "raw_peak", "sources", "is_open", "shade", "contrast_percent"),
        *("verdict", "type_code", "type_name", "reviewer", "reviewed_at"),
    ]
    assert len(rows) == len(roll["defects"]) == 3
    for row, defect in zip(rows, roll["defects"], strict=True):
        assert row["id"] == str(defect["id"])
        assert float(row["position_m"]) == defect["position_m"]
        assert row["sources"] == " ".join(b["source"] for b in defect["boxes"])


def test_names_with_commas_quotes_and_umlauts_stay_in_their_column(tmp_path: Path) -> None:
    defect = {"id": 1, "fabric": 'Köper, "3/1"\n', "boxes": [{"source": "ü, 1.png"}]}
    write_csv({"defects": [defect]}, tmp_path / "defects.csv")
    with (tmp_path / "defects.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["fabric"], row["sources"]) == ('Köper, "3/1"\n', "ü, 1.png")


def test_a_roll_without_defects_is_a_table_with_titles_only(engine: Engine, tmp_path: Path) -> None:
    roll_id, _ = recorded(engine, [frame(dark(200))])
    assert export_roll(engine, roll_id, tmp_path / "out") == ["defects.json", "defects.csv"]
    assert len((tmp_path / "out" / "defects.csv").read_text(encoding="utf-8-sig").splitlines()) == 1
    assert json.loads((tmp_path / "out" / "defects.json").read_text())["defects"] == []


def test_tiles_are_a_data_set_in_the_layout_of_itdd(engine: Engine, tmp_path: Path) -> None:
    long = [f for _ in range(16) for f in (*web(), frame(dark(3000, 640)))]
    roll_id, _ = recorded(engine, long, tmp_path / "tiles")
    assert export_roll(engine, roll_id, tmp_path / "out") == ["defects.json", "defects.csv", "itdd/"]
    fabric = tmp_path / "out" / "itdd" / "plain"
    folders = {p.parent.relative_to(fabric).as_posix() for p in fabric.rglob("*.png")}
    assert folders == {"train/good", "test/defect", "ground_truth/defect"}
    for path in fabric.rglob("*.png"):
        image = png_of(path)
        assert image.shape == (512, 512)
        assert image.dtype == np.uint8
    defective = sorted(p.stem for p in (fabric / "test" / "defect").iterdir())
    assert sorted(p.stem for p in (fabric / "ground_truth" / "defect").iterdir()) == [f"{n}_mask" for n in defective]
    for name in defective:
        mask = png_of(fabric / "ground_truth" / "defect" / f"{name}_mask.png")
        assert set(np.unique(mask)) == {0, 255}
        assert png_of(fabric / "test" / "defect" / f"{name}.png")[mask == 255].mean() > 140
    good = [p for p in fabric.rglob("*.png") if p.parent.name == "good"]
    assert len(good) >= 5
    assert len({p.name for p in good}) == len(good)
    assert all(png_of(p).max() < 70 for p in good)


def test_good_tiles_of_a_roll_are_on_one_side(tmp_path: Path) -> None:
    """A model that learnt from a roll must not be judged by good cloth of the same."""
    for roll in ("r 1", "r 2"):
        samples = [TileSample(f"good-{i:03d}", "plain", dark(512, 512), None, PLACE) for i in range(12)]
        TileWriter(tmp_path, roll).write(samples)
    assert len(list((tmp_path / "plain" / "train" / "good").iterdir())) == 24
    assert not (tmp_path / "plain" / "test").exists()


def test_colour_tiles_keep_their_colours(tmp_path: Path) -> None:
    red = np.zeros((512, 512, 3), np.uint8)
    red[..., 0] = 200
    TileWriter(tmp_path, "r").write([TileSample("good-1", "plain", red, None, PLACE)])
    np.testing.assert_array_equal(png_of(tmp_path / "plain" / "train" / "good" / "r-good-1.png")[0, 0], [0, 0, 200])


@pytest.mark.parametrize("name", ["../../etc", "..", "a/b", "a\\b", "", ".hidden", "/root", "c:\\x", "nul\0l"])
def test_names_cannot_climb_out_of_their_folder(tmp_path: Path, name: str) -> None:
    image = np.zeros((512, 512), np.uint8)
    TileWriter(tmp_path / "in" / "itdd", name).write([TileSample("good-1", name, image, None, PLACE)])
    TileWriter(tmp_path / "in" / "itdd", name).write([TileSample("defect-1", name, image, image, PLACE)])
    files = [p for p in tmp_path.rglob("*") if p.is_file() and p != tmp_path / "in" / "itdd" / PLACES]
    assert len(files) == 3
    for path in files:
        inside = path.relative_to(tmp_path / "in" / "itdd")
        assert len(inside.parts) == 4  # fabric / train / good / file
        assert not any(part.startswith(".") for part in inside.parts)


def maps_of(items: list[Frame | Lost], folder: Path) -> MapWriter:
    writer = MapWriter(folder)
    for outcome in inspect_all(roll_inspection(), items):
        writer.write(outcome.bands, outcome.sources)
    return writer


def test_every_picture_has_a_map_of_its_size(tmp_path: Path) -> None:
    frames = [*web(), frame(np.zeros((300, 203, 3), np.uint8), "deep/colour.jpg")]
    writer = maps_of([*frames[:2], Lost(100, "torn", "x.png"), *frames[2:]], tmp_path)
    assert writer.written == 4
    files = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file())
    assert files == ["deep/colour.png", "f0000.png", "f0001.png", "f0002.png"]
    for f, name in zip(frames, ["f0000", "f0001", "f0002", "deep/colour"], strict=True):
        score = png_of(tmp_path / f"{name}.png")
        assert score.dtype == np.uint16
        assert score.shape == f.image.shape[:2]


def test_a_map_holds_the_score_where_it_belongs(tmp_path: Path) -> None:
    maps_of(web(), tmp_path)
    first, second = png_of(tmp_path / "f0000.png"), png_of(tmp_path / "f0001.png")
    assert first[490:500, 210:295].min() > 22_000  # 2.3 x 10 000
    assert second[0:50, 210:295].min() > 22_000
    assert first[:470].max() == 0
    assert second[330:].max() < 100
    assert png_of(tmp_path / "f0002.png")[203:205, 120:480].mean() > 10_000


def test_a_map_of_what_was_not_inspected_is_zero(tmp_path: Path) -> None:
    writer = maps_of([frame(np.full((40, 200), 200, np.uint8), "short.png")], tmp_path)
    assert writer.written == 1
    assert png_of(tmp_path / "short.png").max() == 0


def test_pictures_of_one_name_with_different_endings_have_a_map_each(tmp_path: Path) -> None:
    bright, other = dark(200, 200), dark(200, 200)
    bright[80:120, 80:120] = 200
    maps_of([frame(bright, "strip.png"), frame(other, "strip.jpg")], tmp_path)
    maps = [png_of(p) for p in tmp_path.rglob("*.png")]
    assert sorted(m.max() > 10_000 for m in maps) == [False, True]


@pytest.mark.parametrize("source", ["../../out.png", "{}/out.png"])
def test_a_map_cannot_climb_out_of_its_folder(tmp_path: Path, source: str) -> None:
    outcomes = inspect_all(roll_inspection(), [frame(dark(100, 100), "a.png")])
    strips = [s for o in outcomes for s in o.bands]
    folder = tmp_path / "deep" / "er" / "maps"
    with contextlib.suppress(RecordsError):  # refused is as good
        MapWriter(folder).write(strips, [SourceSpan(source.format(tmp_path), 0, 100, 100)])
    assert [p for p in tmp_path.rglob("*.png") if folder not in p.parents] == []


def test_maps_forget_what_they_have_written(tmp_path: Path) -> None:
    writer, scores = MapWriter(tmp_path), Scores()
    inspection = roll_inspection()
    for k in range(20):
        outcome = inspection.push(frame(dark(400, 128), f"{k}.png"))
        writer.write(outcome.bands, outcome.sources)
        scores.follow(outcome)
        del outcome
        assert scores.alive() <= 5
    assert scores.seen > 15


class Scores:
    """Tells how many of the scores of bands are still in memory."""

    def __init__(self) -> None:
        self._references: list[weakref.ref[np.ndarray]] = []

    @property
    def seen(self) -> int:
        return len(self._references)

    def follow(self, outcome: Outcome) -> None:
        self._references += [weakref.ref(band.rows.score) for band in outcome.bands]

    def alive(self) -> int:
        return sum(reference() is not None for reference in self._references)


def test_maps_that_cannot_be_written_do_not_fill_the_memory(tmp_path: Path) -> None:
    (tmp_path / "maps").write_text("in the way")
    writer, scores = MapWriter(tmp_path / "maps"), Scores()
    inspection = roll_inspection()
    refused: list[str] = []
    for k in range(20):
        outcome = inspection.push(frame(dark(400, 128), f"{k}.png"))
        try:
            writer.write(outcome.bands, outcome.sources)
        except RecordsError as error:
            refused.append(str(error))
        scores.follow(outcome)
        del outcome
        assert scores.alive() <= 5
    assert scores.seen > 15
    assert len(refused) > 10
    assert all("maps" in text for text in refused)


def test_a_folder_that_cannot_be_written_is_said_with_the_way_out(engine: Engine, tmp_path: Path) -> None:
    roll_id, _ = recorded(engine, web(), tmp_path / "tiles")
    (tmp_path / "file").write_text("in the way")
    for folder in (tmp_path / "file", Path("/proc/nowhere")):
        with pytest.raises(RecordsError, match=r"defects\.json cannot be written: .*choose another folder"):
            export_roll(engine, roll_id, folder)
        with pytest.raises(RecordsError, match="cannot be written"):
            TileWriter(folder, "r").write([TileSample("good-1", "plain", dark(512, 512), None, PLACE)])


def test_pictures_leave_room_on_the_disk_for_the_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = TileSample("good-1", "plain", dark(512, 512), None, PLACE)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("aoi_app.records.files.KEPT_FREE_BYTES", usage.total)
    with pytest.raises(RecordsError, match="kept for the records"):
        TileWriter(tmp_path, "r").write([sample])
    assert list(tmp_path.rglob("*.png")) == []
    monkeypatch.undo()
    TileWriter(tmp_path, "r").write([sample])
    assert len(list(tmp_path.rglob("*.png"))) == 1


def test_tiles_that_cannot_be_copied_are_said(engine: Engine, tmp_path: Path) -> None:
    roll_id, _ = recorded(engine, web(), tmp_path / "tiles")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "itdd").write_text("in the way")
    with pytest.raises(RecordsError, match="tiles cannot be copied"):
        export_roll(engine, roll_id, tmp_path / "out")


def test_tiles_that_were_cleared_away_do_not_stop_the_export(engine: Engine, tmp_path: Path) -> None:
    roll_id, _ = recorded(engine, web())
    assert export_roll(engine, roll_id, tmp_path / "out") == ["defects.json", "defects.csv"]


@pytest.mark.parametrize("name", ["x" * 3000, "a\0b"])
def test_a_folder_of_tiles_that_no_system_has_does_not_stop_the_export(
    engine: Engine, tmp_path: Path, name: str
) -> None:
    roll_id, _ = recorded(engine, [])
    with engine.begin() as connection:
        connection.execute(update(RollRow).values(tiles=name))
    assert export_roll(engine, roll_id, tmp_path / "out") == ["defects.json", "defects.csv"]


def test_exporting_again_replaces_the_files_as_a_whole(engine: Engine, tmp_path: Path) -> None:
    roll_id, _ = recorded(engine, web(), tmp_path / "tiles")
    export_roll(engine, roll_id, tmp_path / "out")
    before = {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    export_roll(engine, roll_id, tmp_path / "out")
    assert {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()} == before


@pytest.mark.parametrize(("form", "cell"), [(CsvFormat(";", ","), "0,02"), (CsvFormat("\t", "."), "0.02")])
def test_a_table_has_the_signs_of_the_country(tmp_path: Path, form: CsvFormat, cell: str) -> None:
    row = {field.export_name: None for field in EXPORTED} | {"position_m": 0.02, "fabric": "-1,5", "boxes": []}
    write_csv({"defects": [row]}, tmp_path / "a.csv", form)
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        (read,) = csv.DictReader(file, delimiter=form.separator)
    assert read["position_m"] == cell
    assert read["fabric"] == "'-1,5"


def test_a_separator_is_no_decimal_sign() -> None:
    with pytest.raises(RecordsError, match="separated"):
        CsvFormat(",", ",")


def test_numbers_that_are_none_are_null_in_json(tmp_path: Path) -> None:
    write_json({"roll": {"width_mm": float("nan")}, "defects": [{"peak": float("inf")}]}, tmp_path / "a.json")
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text, parse_constant=pytest.fail) == {"roll": {"width_mm": None}, "defects": [{"peak": None}]}
