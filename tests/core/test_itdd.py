"""Samples as a data set in ITDD's layout, and such a set as samples."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from cras_core.config.presets import cloth
from cras_core.config.reading import with_settings
from cras_core.data.folders import find_normal_images, find_test_images
from cras_core.data.samples.itdd_card_file import CARD
from cras_core.data.samples.itdd_export import distinct_folders, export_itdd, split_webs
from cras_core.data.samples.itdd_import import import_itdd
from cras_core.data.samples.itdd_readme import README
from cras_core.data.samples.labels import Label, mask_of
from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import FabricRecord, Sample
from cras_core.detectors.cras.detector import CrasDetector
from cras_core.errors import DataError
from cras_core.evaluation.images import evaluate
from cras_core.images import read_image
from cras_core.training.train import train

HOLE = Label("box", ((20.0, 30.0), (60.0, 60.0)), "hole")
YARN = Label("brush", ((5.0, 100.0), (200.0, 100.0)), "yarn", radius_px=2.0)
KNOT = Label("polygon", ((100.0, 100.0), (108.0, 100.0), (104.0, 110.0)), "hole")
RNG = np.random.default_rng(0)


def tile(height: int = 256, width: int = 256) -> np.ndarray:
    return RNG.integers(60, 120, (height, width), np.uint8)


def filled(root: Path, fabric: str = "denim 12/1", webs: tuple[int, ...] = (5, 5, 5, 5)) -> SampleStore:
    """So many good tiles of each web, and two defective ones of the last."""
    store = SampleStore(root)
    store.begin(FabricRecord(fabric))
    for w, n in enumerate(webs):
        for i in range(n):
            store.add(Sample(f"w{w}-{i}", fabric, "collected", f"roll {w}", author="Ida", mm_per_px=0.1), tile())
    last = f"roll {len(webs) - 1}"
    store.add(Sample("d0", fabric, "confirmed defect", last, labels=(HOLE, KNOT), mm_per_px=0.1), tile())
    store.add(Sample("d1", fabric, "file", last, labels=(YARN,), first_line=7, mm_per_px=0.1), tile())
    store.add(Sample("d2", fabric, "file", last, labels=(dataclasses.replace(YARN, code=""), HOLE)), tile())
    store.add(Sample("away", fabric, "collected", "roll 0", choice="thrown out"), tile())
    return store


def test_the_layout_is_that_of_itdd(tmp_path: Path) -> None:
    card = export_itdd(filled(tmp_path / "store"), tmp_path / "set")
    fabric = tmp_path / "set" / "denim_12_1"
    folders = {p.parent.relative_to(fabric).as_posix() for p in fabric.rglob("*.png")}
    kinds = {"hole", "yarn", "several"}
    expected = {"train/good", "test/good"} | {f"{a}/{k}" for a in ("test", "ground_truth") for k in kinds}
    assert folders == expected
    for image in find_test_images(tmp_path / "set")["denim_12_1"]:
        shown = read_image(image.path)
        assert shown.shape == (512, 512)
        assert image.read_mask(512, 512).any() != image.is_good
    mask = read_image(fabric / "ground_truth" / "hole" / "d0_mask.png")
    assert mask.dtype == np.uint8
    assert set(np.unique(mask)) == {0, 255}
    assert (mask[:256, :256] == mask_of((HOLE, KNOT), 256, 256)).all()
    assert (mask[256:, :256] == mask[255::-1, :256]).all()  # carried on like the picture
    (normal,) = find_normal_images(tmp_path / "set")
    assert len(normal.paths) == card.fabrics[0].train_good
    assert list(tmp_path.rglob("away*.png"))  # still in the store
    assert not list((tmp_path / "set").rglob("away*"))


def test_no_web_is_on_both_sides_and_none_with_defects_is_learnt_from(tmp_path: Path) -> None:
    store = filled(tmp_path / "store", webs=(9, 4, 7, 6, 3))
    for seed in range(8):
        card = export_itdd(store, tmp_path / f"set{seed}", seed=seed)
        (fabric,) = card.fabrics
        assert not set(fabric.train_webs) & set(fabric.test_webs)
        assert "roll 4" in fabric.test_webs
        webs = {s.id: s.web for s in store.samples("denim 12/1")}
        root = tmp_path / f"set{seed}" / fabric.folder
        sides = [{webs[p.stem] for p in (root / side / "good").iterdir()} for side in ("train", "test")]
        assert not sides[0] & sides[1]
        assert fabric.train_good + fabric.test_good == 29
        assert 3 <= fabric.test_good <= 12


def sample(web: str, n: int, **more: object) -> list[Sample]:
    return [Sample(f"{web}{i}", "f", "collected", web, **more) for i in range(n)]  # type: ignore[arg-type]


def test_a_split_leaves_something_to_learn_from() -> None:
    assert split_webs(sample("a", 20), 0.2, 0) == frozenset()
    assert split_webs([*sample("a", 50), *sample("b", 40)], 0.2, 0) in ({"a"}, {"b"})
    many = [s for k in range(50) for s in sample(f"w{k}-", 4)]
    assert 9 <= len(split_webs(many, 0.2, 3)) <= 11
    assert split_webs(sample("a", 4, labels=(HOLE,)), 0.2, 0) == {"a"}


def test_one_web_alone_has_no_good_tiles_to_judge_by_and_the_card_says_so(tmp_path: Path) -> None:
    store = SampleStore(tmp_path / "store")
    store.begin(FabricRecord("poplin"))
    for s in sample("roll", 6):
        store.add(dataclasses.replace(s, fabric="poplin"), tile())
    card = export_itdd(store, tmp_path / "set")
    assert card.fabrics[0].remarks == ("no test/good: there is one web only",)
    assert "poplin: no test/good: there is one web only" in (tmp_path / "set" / README).read_text()
    assert not (tmp_path / "set" / "poplin" / "test").exists()


def test_the_card_tells_what_is_in_the_set_and_names_nobody(tmp_path: Path) -> None:
    export_itdd(filled(tmp_path / "store"), tmp_path / "set", seed=4)
    text = (tmp_path / "set" / CARD).read_text()
    card = json.loads(text)
    assert (card["format"], card["version"], card["complete"], card["seed"]) == ("cras-itdd", 1, True, 4)
    assert card["program"].startswith("cras ")
    assert card["licence"] is None
    (fabric,) = card["fabrics"]
    types = {d["code"]: d for d in fabric["defects"]}
    assert types["hole"]["shapes"] == {"block": 1, "point": 1}
    assert types["yarn"]["shapes"] == {"line": 1}
    assert types["several"]["pictures"] == 1
    assert fabric["mm_per_px"] == [0.1, 0.2]
    assert fabric["origins"] == {"collected": 20, "confirmed defect": 1, "file": 2}
    assert "Ida" not in text
    readme = (tmp_path / "set" / README).read_text()
    assert "| denim 12/1 | hole | test/hole | 1 | 1 | 1 | 0 |" in readme
    assert "Licence: to be filled in by the owner" in readme


def test_larger_tiles_are_cut_and_cuts_without_the_defect_are_left_out(tmp_path: Path) -> None:
    store = SampleStore(tmp_path / "store")
    store.begin(FabricRecord("f"))
    good, spoilt = tile(700, 1200), tile(700, 1200)
    store.add(Sample("good", "f", "file", "a"), good)
    store.add(Sample("other", "f", "file", "b"), good)
    store.add(Sample("spoilt", "f", "file", "c", labels=(HOLE,)), spoilt)
    store.add(Sample("beside", "f", "file", "c", labels=(Label("box", ((-90, -90), (-40, -40))),)), spoilt)
    card = export_itdd(store, tmp_path / "set")
    names = {p.name for p in (tmp_path / "set" / "f").rglob("*.png") if "spoilt" in p.name}
    assert names == {"spoilt+0+0.png", "spoilt+0+0_mask.png"}
    assert card.fabrics[0].train_good == card.fabrics[0].test_good == 6
    assert any("1 defective samples were left out" in r for r in card.fabrics[0].remarks)
    last = read_image(next((tmp_path / "set" / "f").rglob("good+188+688.png")))
    assert (last == good[188:, 688:]).all()


def test_codes_and_fabrics_that_make_the_same_folder_are_kept_apart() -> None:
    names = ["a/b", "a_b", "A:B", "good", "..", "\N{SNOWMAN}"]
    found = distinct_folders(names, taken=["good"])
    assert list(found) == names
    assert len({f.casefold() for f in found.values()} | {"good"}) == len(names) + 1
    assert all(f and not f.startswith(".") and "/" not in f for f in found.values())


def test_what_cannot_be_exported_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = filled(tmp_path / "store")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("mine")
    with pytest.raises(DataError, match="full is there and not empty"):
        export_itdd(store, tmp_path / "full")
    with pytest.raises(DataError, match="no fabric 'jute'"):
        export_itdd(store, tmp_path / "set", fabrics=["jute"])
    done: list[int] = []
    with pytest.raises(DataError, match="stopped; nothing was written"):
        export_itdd(
            store,
            tmp_path / "set",
            on_progress=lambda _, n, __: done.append(n),
            should_stop=lambda: len(done) > 3,
        )
    with monkeypatch.context() as patch:

        def full(*_: object) -> int:
            raise OSError(28, "No space left on device")

        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(DataError, match=r"set cannot be written: No space left on device\. Free some space"):
            export_itdd(store, tmp_path / "set")
    broken = [store.image_path(s) for s in store.samples("denim 12/1") if s.is_good][:2]
    for path in broken:
        path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match="Nothing was exported") as error:
        export_itdd(store, tmp_path / "set")
    assert all(path.name in str(error.value) for path in broken)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["full", "store"]


def test_a_set_of_our_own_comes_back_with_webs_labels_and_scale(tmp_path: Path) -> None:
    store = filled(tmp_path / "store")
    export_itdd(store, tmp_path / "set")
    other = SampleStore(tmp_path / "other")
    (found,) = import_itdd(tmp_path / "set", other)
    assert (found.fabric, found.good, found.defective, found.filled_px) == ("denim 12/1", 20, 3, 0)
    before = {s.id: s for s in store.samples("denim 12/1")}
    after = {s.id: s for s in other.samples("denim 12/1")}
    assert set(after) == set(before) - {"away"}
    assert {s.web for s in after.values()} == {f"roll {k}" for k in range(4)}
    assert after["d1"].first_line == 7
    assert {label.code for label in after["d0"].labels} == {"hole"}
    assert {label.code for label in after["d2"].labels} == {"several"}
    for name, s in after.items():
        assert s.mm_per_px == before[name].mm_per_px
        assert s.origin == "imported"
        assert (other.image(s)[:256, :256] == store.image(before[name])).all()
        assert (other.mask(s)[:256, :256] == store.mask(before[name])).all()
    with pytest.raises(DataError, match="There is a fabric 'denim 12/1' already"):
        import_itdd(tmp_path / "set", other)
    export_itdd(other, tmp_path / "again")


def test_a_published_set_becomes_samples_with_the_same_masks(mvtec: Path, tmp_path: Path) -> None:
    store = SampleStore(tmp_path / "store")
    found = import_itdd(mvtec, store, mm_per_px=0.25)
    assert [(f.fabric, f.good, f.defective) for f in found] == [("plain", 9, 3), ("twill", 9, 3)]
    for f in found:
        samples = store.samples(f.fabric)
        assert len({s.web for s in samples}) == len(samples)
        assert {s.mm_per_px for s in samples} == {0.25}
        for image in find_test_images(mvtec)[f.fabric]:
            (mine,) = [s for s in samples if s.web == f"test/{image.defect}/{image.path.stem}"]
            shown = store.image(mine)
            assert (shown == read_image(image.path)).all()
            mask, truth = store.mask(mine) > 0, image.read_mask(*shown.shape[:2])
            assert (mask >= truth).all()
    assert sum(f.filled_px for f in found) <= 0.05 * sum(f.defective_px for f in found)


def test_sets_that_cannot_be_used_leave_the_store_as_it_was(tmp_path: Path) -> None:
    store = SampleStore(tmp_path / "store")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"not in the layout of ITDD or MVTec: expected .* it holds nothing"):
        import_itdd(tmp_path / "empty", store)
    export_itdd(filled(tmp_path / "from"), tmp_path / "set")
    fabric = tmp_path / "set" / "denim_12_1"
    (fabric / "ground_truth" / "hole" / "d0_mask.png").write_bytes(
        (fabric / "ground_truth" / "hole" / "d0_mask.png").read_bytes()[:90]
    )
    (fabric / "ground_truth" / "yarn" / "d1_mask.png").unlink()
    with pytest.raises(DataError, match="Nothing was imported") as error:
        import_itdd(tmp_path / "set", store)
    assert "d0_mask.png" in str(error.value)
    assert "d1.png: no mask for it" in str(error.value)
    small = tmp_path / "set" / "denim_12_1" / "ground_truth" / "hole" / "d0_mask.png"
    small.write_bytes((fabric / "ground_truth" / "several" / "d2_mask.png").read_bytes())
    with pytest.raises(DataError, match="stopped; the store is as it was"):
        import_itdd(tmp_path / "set", store, should_stop=lambda: True)
    next((fabric / "train" / "good").iterdir()).unlink()
    with pytest.raises(DataError, match="is not whole: 1 pictures of its card are not there"):
        import_itdd(tmp_path / "set", store)
    assert store.fabrics() == []
    assert not store.root.exists() or list(store.root.iterdir()) == []


@pytest.mark.parametrize("text", ["", "{", "[" * 5000, "[]", '{"format": "cras-itdd", "version": 2}'])
def test_a_card_that_cannot_be_read_is_said(tmp_path: Path, text: str) -> None:
    export_itdd(filled(tmp_path / "from"), tmp_path / "set")
    (tmp_path / "set" / CARD).write_text(text)
    with pytest.raises(DataError, match=r"card\.json"):
        import_itdd(tmp_path / "set", SampleStore(tmp_path / "store"))


def test_a_model_is_trained_and_judged_on_an_export_as_it_is(mvtec: Path, tmp_path: Path) -> None:
    store = SampleStore(tmp_path / "store")
    import_itdd(mvtec, store)
    export_itdd(store, tmp_path / "set", fabrics=["plain"], test_share=0.3)
    settings = {
        "backbone.input_scale": "1.0",
        "train.epochs": "2",
        "train.patches_per_epoch": "4000",
        "synthesis.drawn": "0",
        "centers.prototypes": "8",
    }
    bundle = train(find_normal_images(tmp_path / "set"), with_settings(cloth(), settings), "cpu")
    report = evaluate(CrasDetector.from_bundle(bundle, "cpu"), tmp_path / "set")
    assert report["protocol"]["pictures"] == 6
    assert report["fabrics"]["plain"]["p_auroc"] > 0.5
    assert report["fabrics"]["plain"]["matched"] == 1.0
