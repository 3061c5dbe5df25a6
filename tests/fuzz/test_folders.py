"""What is more than one file: archives, stores of samples, data sets, recordings, databases."""

from __future__ import annotations

import csv
import io
import json
import random
import shutil
import sqlite3
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from fuzz_tools import FIXTURES, FOREIGN, check_message, damaged, fuzzed, holds, hostile

from aoi_app.records.database import file_url, open_database
from aoi_app.records.export import export_roll
from aoi_app.records.interrupted import mark_interrupted
from aoi_app.records.roll_list import read_summaries
from aoi_app.reports.roll_columns import COLUMNS
from aoi_app.sources.recording.replay import Replay
from aoi_app.sources.source import EndOfWeb
from cras_core.data.samples.archive import import_fabric
from cras_core.data.samples.itdd_export import export_itdd
from cras_core.data.samples.itdd_import import import_itdd
from cras_core.data.samples.store import SampleStore
from cras_core.data.visa import normal_images
from cras_core.data.visa import test_images as visa_test_images

ARCHIVE = FIXTURES / "twill.fabric"
RECORDING = FIXTURES / "recordings" / "20261128-021601"


def unpacked() -> dict[str, bytes]:
    with zipfile.ZipFile(ARCHIVE) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


ODD_NAMES = (
    "../out.json", "/out.png", "samples/../../out.png", "samples/a.png", "samples\\..\\out.png", FOREIGN * 3000, "C:x",
)  # fmt: skip


def check_import(path: Path, name: str) -> None:
    inside = path.parent / "in"
    store = SampleStore(inside / "store")
    with holds(name, inside):
        record = import_fabric(path, store)
        assert not store.problems()
        assert store.samples(record.name)
    shutil.rmtree(inside, ignore_errors=True)


def test_a_damaged_archive_is_refused_or_taken(tmp_path: Path) -> None:
    data, path = ARCHIVE.read_bytes(), tmp_path / "a.fabric"

    def check(seed: int) -> None:
        path.write_bytes(damaged(data, seed))
        check_import(path, "archives")

    fuzzed(check)()


def test_an_archive_that_was_made_to_do_harm_is_refused_or_taken(tmp_path: Path) -> None:
    entries, path = unpacked(), tmp_path / "a.fabric"

    def check(seed: int) -> None:
        rng = random.Random(seed)
        with zipfile.ZipFile(path, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
            chosen = rng.choice(list(entries))
            for name, data in entries.items():
                if name != chosen:
                    archive.writestr(name, data)
                    continue
                bad = hostile(json.loads(data), seed) if name.endswith(".json") else damaged(data, seed)
                archive.writestr(rng.choice((name, name, name, *ODD_NAMES)), bad)
            if rng.random() < 0.2:
                archive.writestr(rng.choice(ODD_NAMES), b"0" * rng.choice((1, 10_000_000)))
        check_import(path, "hostile archives")

    fuzzed(check)()


def test_a_store_with_damaged_files_names_them(tmp_path: Path) -> None:
    inside = tmp_path / "in"
    shutil.copytree(FIXTURES / "samples", inside)
    files = [p for p in sorted(inside.rglob("*")) if p.is_file()]
    before = {p: p.read_bytes() for p in files}

    def check(seed: int) -> None:
        path = files[seed % len(files)]
        data = before[path]
        path.write_bytes(hostile(json.loads(data), seed) if path.suffix == ".json" else damaged(data, seed))
        store = SampleStore(inside)
        with holds("stores of samples", inside):
            for problem in store.problems():
                check_message(problem)
            for fabric in store.fabrics():
                for sample in store.samples(fabric.name):
                    with holds("tiles of stores", inside):
                        assert store.mask(sample).dtype == np.uint8
        path.write_bytes(data)

    fuzzed(check, 2)()


@pytest.fixture
def itdd(tmp_path: Path) -> Path:
    store = SampleStore(tmp_path / "library")
    import_fabric(ARCHIVE, store)
    export_itdd(store, tmp_path / "itdd")
    return tmp_path / "itdd"


def test_a_data_set_with_damaged_files_is_refused_or_taken(itdd: Path, tmp_path: Path) -> None:
    files = [p for p in sorted(itdd.rglob("*")) if p.is_file() and p.suffix in (".json", ".png")]
    before = {p: p.read_bytes() for p in files}
    inside = tmp_path / "in"

    def check(seed: int) -> None:
        path = files[0 if seed % 2 else seed % len(files)]
        data = before[path]
        path.write_bytes(hostile(json.loads(data), seed) if path.suffix == ".json" else damaged(data, seed))
        with holds("data sets", inside):
            assert import_itdd(itdd, SampleStore(inside / "store"))
        shutil.rmtree(inside, ignore_errors=True)
        path.write_bytes(data)

    fuzzed(check, 0.5)()


def test_a_damaged_recording_is_refused_or_replayed(tmp_path: Path) -> None:
    inside = tmp_path / "in"
    shutil.copytree(RECORDING, inside)
    lines, blocks = inside / "00000000.jsonl", inside / "00000000.blocks"
    before = {p: p.read_bytes() for p in (lines, blocks)}
    first = before[lines].splitlines()[0]

    def check(seed: int) -> None:
        if seed % 3 == 0:
            lines.write_bytes(hostile(json.loads(first), seed) + b"\n" + before[lines])
        else:
            path = (lines, blocks)[seed % 2]
            path.write_bytes(damaged(before[path], seed))
        with holds("recordings", inside), Replay(inside) as replay:
            for _ in range(100):
                try:
                    replay.read(0.0)
                except EndOfWeb:
                    break
        for path, data in before.items():
            path.write_bytes(data)

    fuzzed(check)()


VISA = [("object", "split", "label", "image", "mask")] + [
    ("candle", split, label, f"candle/{label}{i}.png", f"candle/{label}{i}_m.png" if label == "anomaly" else "")
    for i, (split, label) in enumerate([("train", "normal"), ("test", "normal"), ("test", "anomaly")])
]
CELLS = (
    "",
    "../x.png",
    "/etc/hostname",
    "a\0b",
    "x" * 300,
    FOREIGN * 3000,
    "..",
    "candle",
    '"',
    "train",
    "\ud800",
    "-1",
)


def test_a_hostile_table_of_a_data_set_is_refused_or_read(tmp_path: Path) -> None:
    inside = tmp_path / "in"
    (inside / "split_csv").mkdir(parents=True)
    (inside / "candle").mkdir()
    for row in VISA[1:]:
        for name in filter(None, row[3:]):
            cv2.imwrite(str(inside / name), np.full((8, 8), 9, np.uint8))
    (tmp_path / "x.png").write_bytes(b"somebody else's")

    def check(seed: int) -> None:
        rng = random.Random(seed)
        rows = [list(row) for row in VISA]
        row = rng.choice(rows)
        row[rng.randrange(len(row))] = rng.choice(CELLS)
        text = io.StringIO(newline="")
        csv.writer(text).writerows(rows)
        data = text.getvalue().encode("utf-8", "surrogatepass")
        (inside / "split_csv" / "1cls.csv").write_bytes(damaged(data, seed) if seed % 4 == 0 else data)
        with holds("tables of VisA", inside):
            found = [p for normal in normal_images(inside) for p in normal.paths]
            found += [image.path for images in visa_test_images(inside).values() for image in images]
            assert all(path.resolve().is_relative_to(inside.resolve()) for path in found)

    fuzzed(check, 2)()


CELLS_OF_A_DATABASE = (
    "NULL", "''", "'x'", "X'00ff'", "CAST(X'ff00fe' AS TEXT)", "9e999", "-9e999", "9223372036854775807", "'[['",
    "'{}'", "'[1,2]'", "'[{}]'", f"'{'[' * 20_000}'", f"'{FOREIGN * 3000}'", "'2026-13-45 99:00'", "'../../x'",
    "'a'||char(0)||'b'",
)  # fmt: skip


def read_all(path: Path, out: Path) -> None:
    engine = open_database(file_url(path))
    try:
        mark_interrupted(engine)
        for row in read_summaries(engine, 20):
            assert all(isinstance(column.text(row), str) for column in COLUMNS)
            export_roll(engine, row.roll_id, out)
    finally:
        engine.dispose()


def test_a_database_with_odd_cells_is_read_or_refused(tmp_path: Path) -> None:
    inside, path = tmp_path / "in", tmp_path / "in" / "r.db"
    inside.mkdir()
    (tmp_path / "beside").mkdir()

    def check(seed: int) -> None:
        rng = random.Random(seed)
        shutil.copy(FIXTURES / "records.db", path)
        open_database(file_url(path)).dispose()
        with sqlite3.connect(path) as other:
            other.execute("PRAGMA foreign_keys=OFF")
            table = rng.choice(("rolls", "rolls", "defects", "gaps", "remarks", "alembic_version"))
            columns = [row[1] for row in other.execute(f"PRAGMA table_info({table})")]
            try:
                other.execute(f"UPDATE {table} SET {rng.choice(columns)} = {rng.choice(CELLS_OF_A_DATABASE)}")
            except sqlite3.Error:
                return  # the database itself refuses it
        other.close()
        with holds("cells of databases", inside):
            read_all(path, inside / "out")

    fuzzed(check, 0.5)()


def test_a_damaged_database_is_read_or_refused(tmp_path: Path) -> None:
    inside, path = tmp_path / "in", tmp_path / "in" / "r.db"
    inside.mkdir()
    data = (FIXTURES / "records.db").read_bytes()

    def check(seed: int) -> None:
        for old in inside.glob("r.db*"):
            old.unlink()
        path.write_bytes(damaged(data, seed))
        with holds("databases", inside):
            read_all(path, inside / "out")

    fuzzed(check, 0.5)()
