"""Files that version 0.1 wrote are read by this version, with nothing of their content lost.

``tests/fixtures/version_0_1`` was written by that version; it is not to be written anew.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from aoi_process import CommandLine

from aoi_app.settings.defect_types import DefectType, load_defect_types
from aoi_app.settings.grading import GradingRules
from aoi_app.settings.recipe_store import load_recipes
from aoi_app.settings.settings import load_settings
from aoi_app.sources.block import Block
from aoi_app.sources.camera.presets import load_preset
from aoi_app.sources.flat_field.correction import CameraSetup, flat_field_problems
from aoi_app.sources.flat_field.file import read_flat_field
from aoi_app.sources.recording.replay import Replay
from aoi_app.sources.side_by_side_file import load_side_by_side
from cras_core.data.samples.archive import import_fabric
from cras_core.data.samples.labels import Label
from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import Sample
from cras_core.registry.store import ModelStore

OLD = Path(__file__).parents[1] / "fixtures" / "version_0_1"
SELVEDGE_PX = 480  # it begins there on the strip


def overlaps(a: dict[str, int], b: dict[str, int]) -> bool:
    return all(
        a[f"{i}_px"] < b[f"{i}_px"] + b[n] and b[f"{i}_px"] < a[f"{i}_px"] + a[n]
        for i, n in (("x", "w_px"), ("y", "h_px"))
    )


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("detector", ["cras", "anomnet"])
def test_a_bundle_finds_the_same_defects(aoi: CommandLine, detector: str) -> None:
    (aoi.folder / "strips").mkdir()
    shutil.copy(OLD / "strip.png", aoi.folder / "strips" / "plain_003.png")
    bundle = OLD / f"{detector}.cras"
    options = ["--mm-per-px", 0.2, "--threshold", 0.4, "--no-tiles", "--device", "cpu", "--out", "out"]
    result = aoi("inspect", "strips", "--bundle", bundle, *options)
    assert result.returncode == 0, result.stderr
    expected, found = read(OLD / f"{detector}-defects.json"), read(aoi.folder / "out" / "defects.json")
    assert found["roll"]["model"] == expected["roll"]["model"]
    assert found["roll"]["fabric"] == expected["roll"]["fabric"] == "plain"
    # What that version told at the ends of the strip and at its selvedge is mostly none today; the defect inside is.
    inside = [d for d in expected["defects"] if d["boxes"][0]["x_px"] + d["boxes"][0]["w_px"] < SELVEDGE_PX]
    assert len(inside) == 1
    by_the_model = [d for d in found["defects"] if d["shade"] is None]  # that version knew no shade
    (today,) = [d for d in by_the_model if overlaps(d["boxes"][0], inside[0]["boxes"][0])]
    assert today["raw_peak"] == pytest.approx(inside[0]["raw_peak"], rel=2e-3)
    for name in ("position_m", "position_mm"):
        assert today[name] == pytest.approx(inside[0][name], rel=0.05), name


def test_a_database_is_listed_and_exported(aoi: CommandLine) -> None:
    shutil.copy(OLD / "records.db", aoi.folder / "records.db")
    listed = aoi("rolls", "--database", "sqlite:///records.db")
    expected = read(OLD / "records-defects.json")
    assert expected["roll"]["name"] in listed.stdout, listed.stderr
    written = aoi("export", 1, "--database", "sqlite:///records.db", "--out", "out")
    assert written.returncode == 0, written.stderr
    found = read(aoi.folder / "out" / "defects.json")
    verdicts = {1: ("rejected", None), 2: ("confirmed", None), 3: ("confirmed", "stain")}
    assert {d["id"]: (d["verdict"], d["type_name"]) for d in found["defects"][:3]} == verdicts
    assert {d["reviewer"] for d in found["defects"][:3]} == {"Ada"}
    said = ("verdict", "type_code", "type_name", "reviewer", "reviewed_at")
    for d, e in zip(found["defects"], expected["defects"], strict=True):
        assert {k: d[k] for k in e if k not in said} == {k: e[k] for k in e if k not in said}
    for part in ("gaps", "remarks"):
        assert found[part] == expected[part]
    assert {k: found["roll"][k] for k in expected["roll"]} == expected["roll"]


def test_samples_with_their_labels_are_read(tmp_path: Path) -> None:
    store = SampleStore(Path(shutil.copytree(OLD / "samples", tmp_path / "samples")))
    assert store.problems() == []
    twill, plain = store.fabrics()
    assert (twill.name, twill.author, twill.note, twill.recipe["threshold"]) == (
        "Köper 12/3",
        "Ada",
        "from the old machine",
        1.4,
    )
    assert (plain.name, plain.is_retired) == ("plain", True)
    _assert_twill(store)
    assert [s.id for s in store.samples("plain")] == ["p0"]


def test_a_fabric_in_one_file_is_read(tmp_path: Path) -> None:
    store = SampleStore(tmp_path / "samples")
    record = import_fabric(OLD / "twill.fabric", store)
    assert (record.name, record.recipe["name"]) == ("Köper 12/3", "Köper 12/3")
    _assert_twill(store)


def _assert_twill(store: SampleStore) -> None:
    collected, thrown_out, defect = sorted(store.samples("Köper 12/3"), key=lambda sample: sample.id)
    assert collected == Sample(
        "roll-1-000", "Köper 12/3", "collected", "roll-1", first_line=512, left_px=300, position_m=0.1,
        position_mm=44.5, cloth_mm=90.0, cloth_left_px=12.5, mm_per_px=0.25, brightness=collected.brightness,
        taken_at="2026-11-28T02:01:00+01:00", author="Ada", suspicion=0.4,
    )  # fmt: skip
    assert (thrown_out.origin, thrown_out.choice) == ("rejected alarm", "thrown out")
    assert defect.labels == (
        Label("box", ((3.0, 4.0), (20.5, 30.0)), "W1"),
        Label("polygon", ((30.0, 30.0), (50.0, 32.0), (40.0, 50.0))),
        Label("brush", ((5.0, 55.0), (30.0, 58.0)), "G2", 3.0),
    )
    assert store.image(defect).shape == (64, 64)
    assert store.mask(defect).any()


def test_a_history_of_models_is_read(tmp_path: Path) -> None:
    store = ModelStore(Path(shutil.copytree(OLD / "models", tmp_path / "models")))
    shutil.copy(OLD / "cras.cras", store.folder / "6d456bd94d38.cras")
    assert [e.identity for e in store.entries()] == ["6d456bd94d38"]
    in_use = store.in_use
    assert in_use is not None
    assert in_use.identity == "6d456bd94d38"
    assert [(p.author, p.reason) for p in store.promotions] == [("Ada", "the first one")]


def test_a_recipe_is_read() -> None:
    recipes, problems = load_recipes(OLD / "recipes")
    assert problems == []
    assert recipes["twill"].model_dump() == {
        "name": "Köper 12/3",
        "fabric": "twill",
        "self_taught": False,
        "first_cloth_m": 0.5,
        "mm_per_px": 0.25,
        "mm_per_line": 0.2,
        "overlap_px": 96,
        "find_edges": True,
        "selvedge_margin_mm": 12.5,
        "ignored": (),
        "false_alarms_per_100_m2": None,
        "lowest_threshold": 0.7,
        "highest_threshold": 2.0,
        "threshold": 1.4,
        "min_area_mm2": 0.5,
        "relative": True,
        "find_shade": True,
        "shade_percent": 2.0,
        "proof_every_m": 20.0,
        "proof_mm": 8.0,
        "camera_preset": "preset.json",
        "grading": GradingRules().model_dump(),
        "cutting": None,
    }


def test_settings_are_read() -> None:
    settings, problem = load_settings(OLD / "settings.json")
    assert problem is None
    assert (settings.theme, settings.heat_opacity, settings.last_folder) == ("light", 0.4, "/cloth")
    assert (settings.camera.serial, settings.camera.mm_per_count) == ("synthetic-0", 0.05)
    assert (settings.learning.promote_unless_worse, settings.learning.most_models) == (True, 12)


def test_the_types_of_defects_are_read() -> None:
    types, problem = load_defect_types(OLD / "catalogue.json")
    assert problem is None
    assert len(types) == 4
    assert types[-1] == DefectType("M1", "mill's own fault", "critical", "block")


def test_a_camera_preset_is_read() -> None:
    preset = load_preset(OLD / "preset.json")
    assert preset.camera.serial == "synthetic-0"
    assert {(s.name, s.value) for s in preset.settings} >= {("Width", 512), ("Height", 64), ("ExposureTime", 50.0)}


def test_a_flat_field_is_read() -> None:
    flat = read_flat_field(OLD / "camera-synthetic-0.safetensors")
    assert (flat.width_px, flat.bits, flat.target, flat.lines) == (512, 8, 200.0, 512)
    assert flat_field_problems(flat, CameraSetup("synthetic-0", 50.0, 1.0)) == []


def test_a_recording_is_replayed() -> None:
    lines = 0
    with Replay(next((OLD / "recordings").iterdir())) as replay:
        for _ in range(2):
            block = replay.read(1.0)
            assert isinstance(block, Block)
            assert block.image.shape == (64, 512)
            lines += len(block.image)
    assert lines == 128


def test_a_file_of_sources_side_by_side_is_read() -> None:
    left, right = load_side_by_side(OLD / "side-by-side.json").cameras
    assert left.source == "loom:plain"
    assert (right.source, right.overlap_px, right.offset_lines) == ("replay:recordings/20261128-021601", 16, -3)
