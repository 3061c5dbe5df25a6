"""The store of samples: what a person collected and decided, on disk."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cras_core.data.samples.files import safe_id
from cras_core.data.samples.good_cloth import fabrics_to_learn, normal_images
from cras_core.data.samples.labels import Label, labels_of, mask_of
from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import FabricRecord, Sample
from cras_core.data.values import NormalImages, Piece
from cras_core.errors import DataError, JsonFileError
from cras_core.json_files import parse_json

GREY = np.arange(64 * 48, dtype=np.uint16).reshape(64, 48).astype(np.uint8)
BOX = Label("box", ((4.0, 5.0), (10.0, 9.0)), "hole")


@pytest.fixture
def store(tmp_path: Path) -> SampleStore:
    store = SampleStore(tmp_path / "library")
    store.begin(FabricRecord("denim 12 oz", author="Ida", recipe={"mm_per_px": 0.1}))
    return store


def sample(name: str = "roll-1-000", web: str = "roll-1", **more: object) -> Sample:
    return Sample(name, "denim 12 oz", "collected", web, **more)  # type: ignore[arg-type]


def test_what_was_added_is_there_for_whoever_opens_the_store(store: SampleStore) -> None:
    colour = np.stack([GREY, GREY.T.reshape(64, 48), 255 - GREY], axis=2)
    store.add(sample("a", first_line=3, position_mm=12.5, labels=(BOX,)), GREY)
    store.add(sample("b", web="roll-2", suspicion=0.5), colour)
    other = SampleStore(store.root)
    assert other.fabric("denim 12 oz").recipe == {"mm_per_px": 0.1}
    a, b = other.samples("denim 12 oz")
    assert a == sample("a", first_line=3, position_mm=12.5, labels=(BOX,))
    assert (other.image(a) == GREY).all()
    assert (other.image(b) == colour).all()
    assert a.is_defect
    assert b.is_good


def test_a_second_tile_of_one_name_does_not_replace_the_first(store: SampleStore) -> None:
    first = store.add(sample("a"), GREY)
    second = store.add(sample("a"), 255 - GREY)
    assert first.id != second.id
    assert (store.image(first) == GREY).all()
    assert (store.image(second) == 255 - GREY).all()


def test_decisions_are_kept_and_thrown_out_samples_are_not_learnt_from(store: SampleStore) -> None:
    kept = [store.add(sample(f"s{i}", web=f"roll-{i % 2}"), GREY) for i in range(4)]
    store.update(dataclasses.replace(kept[0], choice="thrown out"))
    store.update(dataclasses.replace(kept[1], labels=(BOX,)))
    (normal,) = normal_images(store)
    assert [p.stem for p in normal.paths] == ["s2", "s3"]
    assert [p.web for p in normal.pieces] == ["roll-0", "roll-1"]
    assert (store.mask(store.samples("denim 12 oz")[2])[5:10, 4:11] == 255).all()
    store.remove(kept[2])
    with pytest.raises(DataError, match=r"no sample s2 .* any more"):
        store.update(kept[2])


def test_a_fabric_without_good_cloth_or_with_a_taken_name_is_said(store: SampleStore) -> None:
    with pytest.raises(DataError, match="no samples of good cloth"):
        normal_images(store, ["denim 12 oz"])
    assert normal_images(store) == []  # where nobody named it, it does not keep the others from being learnt
    assert fabrics_to_learn(store) == ([], ["denim 12 oz"])
    with pytest.raises(DataError, match="There is a fabric 'denim 12 oz' already"):
        store.begin(FabricRecord("Denim 12 OZ"))
    with pytest.raises(DataError, match="no fabric 'poplin'; it has denim 12 oz"):
        store.samples("poplin")
    for name in ("", " a", "a\nb", "x" * 81):
        with pytest.raises(DataError, match="cannot be called"):
            store.begin(FabricRecord(name))


def test_names_that_climb_stay_in_the_store(store: SampleStore, tmp_path: Path) -> None:
    store.begin(FabricRecord("../../etc"))
    store.begin(FabricRecord("..\\.."))
    assert {p.parent for p in store.root.iterdir()} == {store.root}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["library"]
    with pytest.raises(DataError, match="cannot be called"):
        sample("../a")
    assert Sample(safe_id("../x", "å b", 7), "f", "file", "w").id == "x-_b-7"


def test_retired_fabrics_are_left_out_and_renamed_ones_keep_their_samples(store: SampleStore) -> None:
    store.add(sample("a"), GREY)
    store.begin(FabricRecord("poplin"))
    store.change(dataclasses.replace(store.fabric("poplin"), is_retired=True))
    assert [n.fabric for n in normal_images(store)] == ["denim 12 oz"]
    store.rename("denim 12 oz", "denim")
    assert [s.fabric for s in store.samples("denim")] == ["denim"]
    with pytest.raises(DataError, match="already"):
        store.rename("denim", "Poplin")
    store.rename("denim", "Denim")


def test_merging_moves_everything_once(store: SampleStore) -> None:
    store.begin(FabricRecord("jeans"))
    store.add(sample("a"), GREY)
    store.add(dataclasses.replace(sample("a"), fabric="jeans"), 255 - GREY)
    assert store.merge("jeans", "denim 12 oz") == 1
    assert [f.name for f in store.fabrics()] == ["denim 12 oz"]
    assert len(store.samples("denim 12 oz")) == 2


def test_what_is_broken_is_named_and_hides_nothing(store: SampleStore) -> None:
    good, lost, cut, odd = (store.add(sample(n), GREY) for n in ("good", "lost", "cut", "odd"))
    store.image_path(lost).unlink()
    store.image_path(cut).with_suffix(".json").write_text('{"fabric": "de')
    text = store.image_path(odd).with_suffix(".json")
    text.write_text(json.dumps(json.loads(text.read_text()) | {"labels": [{"outline": "star", "points": [[1, 2]]}]}))
    (store.root / "stray").mkdir()
    (store.root / "stray" / "fabric.json").write_text("[]")
    assert [s.id for s in store.samples("denim 12 oz")] == [good.id]
    said = "\n".join(store.problems())
    for name in ("lost.json", "cut.json", "odd.json", "stray"):
        assert name in said
    newer = store.root / "newer"
    newer.mkdir()
    (newer / "fabric.json").write_text(json.dumps({"format": "cras-fabric", "version": 99, "name": "x"}))
    assert any("Update this program" in p for p in store.problems())


def test_a_program_that_is_killed_while_it_collects_leaves_whole_samples(tmp_path: Path) -> None:
    script = (
        "import sys, numpy as np\nfrom pathlib import Path\n"
        "from cras_core.data.samples.store import FabricRecord, Sample, SampleStore\n"
        "store = SampleStore(Path(sys.argv[1])); store.begin(FabricRecord('f'))\n"
        "image = np.random.default_rng(0).integers(0, 255, (256, 256), np.uint8)\n"
        "for i in range(100000):\n"
        "    store.add(Sample(f's{i}', 'f', 'collected', 'w'), image); print(i, flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        done = next(int(line) for line in process.stdout if int(line) >= 5)
        os.kill(process.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        process.wait()
    store = SampleStore(tmp_path)
    samples = store.samples("f")
    assert len(samples) > done
    assert all(store.image(s).shape == (256, 256) for s in samples)
    assert store.problems() == []


def test_a_disk_that_is_full_is_said(store: SampleStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cras_core.data.samples.files.write_atomically", full)
    with pytest.raises(DataError, match=r"a\.png cannot be written: No space left on device. Free some space"):
        store.add(sample("a"), GREY)


points = st.floats(-20, 80).map(lambda v: round(v, 2))
labels = st.one_of(
    st.builds(Label, st.just("box"), st.tuples(st.tuples(points, points), st.tuples(points, points))),
    st.builds(Label, st.just("polygon"), st.lists(st.tuples(points, points), min_size=3, max_size=6).map(tuple)),
    st.builds(
        Label,
        st.just("brush"),
        st.lists(st.tuples(points, points), min_size=1, max_size=6).map(tuple),
        st.just("knot"),
        st.floats(0, 9).map(lambda v: round(v, 2)),
    ),
)


@given(labels)
def test_labels_survive_their_text_and_cover_what_they_touch(label: Label) -> None:
    assert parse_json(json.dumps(label.to_json()), Label, "it") == label
    mask = mask_of([label], 64, 48)
    x, y = (round(v) for v in label.points[0])
    if label.outline != "polygon" and 0 <= x < 48 and 0 <= y < 64:
        assert mask[y, x] == 255


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(1, 9), st.integers(1, 9)), max_size=4))
def test_the_outlines_of_a_mask_make_that_mask(boxes: list[tuple[int, int, int, int]]) -> None:
    mask = np.zeros((50, 50), np.bool_)
    for x, y, w, h in boxes:
        mask[y : y + h, x : x + w] = True
    again = mask_of(labels_of(mask), 50, 50) > 0
    assert (again >= mask).all()
    assert (again & ~mask).sum() == 0 or len(boxes) > 1  # holes between several boxes are filled


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"outline": "box", "points": [[1, 2]]},
        {"outline": "polygon", "points": [[1, 2], [3, 4]]},
        {"outline": "box", "points": [[1, 2], ["a", 4]]},
        {"outline": "box", "points": [[1, 2], [float("nan"), 4]]},
        {"outline": "brush", "points": [[1, 2]], "radius_px": -1},
    ],
)
def test_what_is_no_label_is_refused(value: dict) -> None:
    with pytest.raises(JsonFileError, match=r"^it"):
        parse_json(json.dumps(value), Label, "it")


def test_whole_webs_are_held_back() -> None:
    paths = tuple(Path(f"{i}.png") for i in range(40))
    normal = NormalImages("f", paths, are_strips=False, pieces=tuple(Piece(f"roll-{i % 5}") for i in range(40)))
    for seed in range(5):
        seen, held = normal.held_back(0.2, seed)
        web = {p: normal.pieces[i].web for i, p in enumerate(paths)}
        assert {web[p] for p in seen}.isdisjoint({web[p] for p in held})
        assert sorted(seen + held) == sorted(paths)
        assert len(held) == 8
    alone = dataclasses.replace(normal, pieces=(Piece("roll"),) * 40)
    assert len(alone.held_back(0.2, 0)[1]) == 8
    two = dataclasses.replace(normal, pieces=(Piece("a"),) * 30 + (Piece("b"),) * 10)
    assert set(two.held_back(0.2, 0)[1]) == set(paths[30:])
