"""The history of models: nothing is lost, the way back is open, and two programs at once do not disagree."""

from __future__ import annotations

import dataclasses
import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cras_core.errors import BundleError, StoreError
from cras_core.registry.bundle import Bundle, write_bundle
from cras_core.registry.entries import Entry, Promotion, PrunePolicy, rollback_target, to_prune
from cras_core.registry.store import ModelStore
from cras_core.training.fabric_changes import rename_fabric


@pytest.fixture(scope="module")
def generations(bundle: Bundle) -> list[Bundle]:
    """A model, what was made of it, and what was made of that; a day apart."""
    second = rename_fabric(bundle, "twill", "serge", "Ada")
    third = rename_fabric(second, "serge", "gabardine", "Ada")
    days = ("2026-03-01", "2026-03-02", "2026-03-03")
    return [
        dataclasses.replace(b, provenance=b.provenance | {"made_at": f"{day}T12:00:00+0000"})
        for b, day in zip((bundle, second, third), days, strict=True)
    ]


@pytest.fixture
def store(tmp_path: Path, generations: list[Bundle]) -> ModelStore:
    """The three, none of them in use."""
    store = ModelStore(tmp_path / "models")
    for bundle in generations:
        store.add(bundle)
    return store


@pytest.fixture
def ids(generations: list[Bundle]) -> list[str]:
    return [b.identity for b in generations]


# What is kept


def test_a_model_is_kept_under_its_identity_with_what_it_tells(store: ModelStore, generations: list[Bundle]) -> None:
    entry = store.entry(generations[2].identity)
    assert entry.path.name == f"{generations[2].identity}.cras"
    assert (entry.kind, entry.author, entry.fabrics) == ("edit", "Ada", ("plain", "gabardine"))
    assert entry.parent == generations[1].identity
    assert entry.ancestors == (generations[0].identity, generations[1].identity)
    assert entry.size_bytes == entry.path.stat().st_size
    assert not entry.in_use
    assert store.entry(generations[0].identity).kind == "full"
    kept = store.read(entry.identity)
    assert (kept.identity, kept.provenance) == (entry.identity, generations[2].provenance)


def test_models_are_listed_with_the_newest_first(store: ModelStore, ids: list[str]) -> None:
    assert [e.identity for e in store.entries()] == ids[::-1]


def test_a_store_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "new")
    assert store.entries() == []
    assert store.in_use is None
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_is_there_stays_as_it_is(store: ModelStore, generations: list[Bundle]) -> None:
    again = dataclasses.replace(generations[0], provenance={"author": "somebody else"})
    assert store.add(again).author == generations[0].provenance["author"]
    assert len(store.entries()) == 3


def test_a_damaged_model_is_mended_by_adding_it_again(store: ModelStore, generations: list[Bundle]) -> None:
    path = store.entry(generations[0].identity).path
    path.write_bytes(path.read_bytes()[:100])
    assert store.entry(generations[0].identity).problem
    assert not store.add(generations[0]).problem


def test_a_model_is_found_by_the_beginning_of_its_identity(store: ModelStore, ids: list[str]) -> None:
    assert store.entry(ids[1][:6]).identity == ids[1]
    with pytest.raises(StoreError, match=f"there is no model xyz in .*such as {ids[2]} of 2026-03-03") as caught:
        store.entry("xyz")
    assert caught.value.hint == f"With: cras models STORE use {ids[2]}"
    with pytest.raises(StoreError, match="there is no model  in"):
        store.entry("")
    for name in ("zz1.cras", "zz2.cras"):
        (store.folder / name).touch()
    with pytest.raises(StoreError, match=r"zz may be zz[12], zz[12]; give more of it"):
        store.entry("zz")


# Which is in use


def test_every_promotion_is_remembered(store: ModelStore, ids: list[str]) -> None:
    store.promote(ids[1], "new yarn", "Ada")
    store.promote(ids[2], "finds more", "Bob")
    store.promote(ids[1], "alarms too often", "Bob")  # back to the older one
    assert store.in_use is not None
    assert store.in_use.identity == ids[1]
    told = [(p.before, p.identity, p.author, p.reason) for p in ModelStore(store.folder).promotions]
    assert told == [
        (None, ids[1], "Ada", "new yarn"),
        (ids[1], ids[2], "Bob", "finds more"),
        (ids[2], ids[1], "Bob", "alarms too often"),
    ]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}", p.at) for p in store.promotions)


def test_a_model_in_use_is_not_promoted_again(store: ModelStore, ids: list[str]) -> None:
    first = store.promote(ids[0], "first")
    assert store.promote(ids[0], "again") == first
    assert len(store.promotions) == 1


def test_a_damaged_model_is_not_put_into_use(store: ModelStore, ids: list[str]) -> None:
    store.promote(ids[0])
    path = store.entry(ids[1]).path
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StoreError, match=f"the model {ids[1]} cannot be used: .*cut off.*such as {ids[2]}"):
        store.promote(ids[1])
    assert store.in_use is not None
    assert store.in_use.identity == ids[0]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_full_disk_leaves_the_old_model_in_use(store: ModelStore, ids: list[str], bundle_path: Path) -> None:
    store.promote(ids[0], "x" * 500)
    code = (
        "import resource, sys\nfrom pathlib import Path\n"
        "from cras_core.registry.bundle import read_bundle\nfrom cras_core.errors import CrasError\n"
        "from cras_core.registry.store import ModelStore\n"
        "store, bundle = ModelStore(Path(sys.argv[1])), read_bundle(Path(sys.argv[3]))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))\n"
        "for attempt in (lambda: store.promote(sys.argv[2]), lambda: ModelStore(store.folder / 'new').add(bundle)):\n"
        "    try: attempt()\n    except CrasError as error: print(error)\n"
    )
    done = run(code, store.folder, ids[1], bundle_path)
    assert "store.json cannot be written: File too large. Nothing has changed" in done
    assert "cannot be written: File too large. Choose another place or free some space" in done
    assert [p.identity for p in store.promotions] == [ids[0]]
    assert [p.name for p in (store.folder / "new").iterdir()] in (["store.lock"], [])


# When something is damaged


def test_damaged_and_foreign_files_are_listed_and_hide_nothing(store: ModelStore, ids: list[str]) -> None:
    (store.folder / "notes.txt").write_text("mine")
    (store.folder / "folder").mkdir()
    (store.folder / "0123456789ab.cras").write_bytes(b"no bundle")
    (store.folder / "ba9876543210.cras").write_bytes(store.entry(ids[0]).path.read_bytes())
    problems = {e.identity: e.problem for e in store.entries()}
    assert [i for i, problem in problems.items() if not problem] == ids[::-1]
    assert problems["notes.txt"] == "a file that is no model"
    assert "folder" not in problems  # such as that of the trials
    assert "no bundle at all" in problems["0123456789ab"]
    assert f"holds the model {ids[0]}: it was renamed or exchanged" in problems["ba9876543210"]


def test_a_missing_model_in_use_says_the_way_out(store: ModelStore, ids: list[str]) -> None:
    store.promote(ids[1])
    store.entry(ids[1]).path.unlink()
    with pytest.raises(StoreError, match=f"in use, {ids[1]}, is missing from .*such as {ids[2]} of ") as caught:
        _ = store.in_use
    assert caught.value.hint == f"With: cras models STORE use {ids[2]}"
    store.promote(ids[2], "the other is gone")
    assert store.in_use is not None


def test_a_damaged_model_in_use_says_the_way_out(store: ModelStore, ids: list[str]) -> None:
    store.promote(ids[1])
    path = store.entry(ids[1]).path
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(StoreError, match=f"in use, {ids[1]}, cannot be used: .*cut off .*such as {ids[2]} of "):
        _ = store.in_use


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 1}', '{"version": 9, "promotions": [], "pinned": []}'])
def test_a_damaged_file_of_the_store_says_the_way_out(store: ModelStore, ids: list[str], content: str) -> None:
    store.promote(ids[1])
    (store.folder / "store.json").write_text(content)
    with pytest.raises(StoreError, match=f"store.json is damaged .*nobody knows the model in use\\. Put .*{ids[2]}"):
        _ = store.in_use
    with pytest.raises(StoreError, match="is damaged"):  # what is in use is not known, so nothing may go
        store.prune(PrunePolicy(1))
    with pytest.raises(StoreError, match="is damaged"):
        store.remove(ids[1])
    assert len([e for e in store.entries() if not e.problem]) == 3
    store.promote(ids[0], "after the damage")
    assert store.in_use is not None
    assert (store.folder / "store.damaged").read_text() == content


def test_a_file_of_the_store_that_cannot_be_read_now_is_not_taken_for_damaged(
    store: ModelStore, ids: list[str]
) -> None:
    (store.folder / "store.json").mkdir()
    with pytest.raises(StoreError, match=r"store\.json cannot be read"):
        store.promote(ids[0])
    assert (store.folder / "store.json").is_dir()


# Several programs at once


def run(code: str, *arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


PROMOTE = (
    "import sys\nfrom pathlib import Path\nfrom cras_core.registry.store import ModelStore\n"
    "store, name, models = ModelStore(Path(sys.argv[1])), sys.argv[2], sys.argv[3:]\n"
    "print('ready', flush=True)\nsys.stdin.readline()\nk = 0\n"
    "while name == 'for ever' or k < 10:\n"
    "    for model in models: store.promote(model, str(k), name)\n"
    "    k += 1\n"
)


def test_two_processes_at_once_lose_no_promotion(store: ModelStore, ids: list[str]) -> None:
    """And one that is killed in the middle leaves a store that goes on."""
    names = ("Ada", "Bob", "for ever")
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROMOTE, str(store.folder), name, *models],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name, models in zip(names, (ids[:2], ids[1:], [ids[0], ids[2]]), strict=True)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [p.wait(60) for p in processes[:2]] == [0, 0]
    while names[2] not in {p.author for p in store.promotions}:  # a lock is given to whoever asks at the right moment
        assert processes[2].poll() is None
    processes[2].send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    processes[2].wait(60)
    for process in processes:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.stdout.close()
    log = store.promotions
    assert [p.before for p in log[1:]] == [p.identity for p in log[:-1]]  # each knows what it took the place of
    assert {p.author for p in log} == set(names)
    store.promote(next(i for i in ids if i != log[-1].identity), "after the crash")
    assert store.in_use is not None
    assert len(store.promotions) == len(log) + 1


def test_a_store_that_another_program_keeps_says_so(
    store: ModelStore, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cras_core.registry.store._PATIENCE_S", 0.2)
    code = (
        "import sys\nfrom pathlib import Path\nfrom filelock import FileLock\n"
        "with FileLock(sys.argv[1]):\n    print('mine', flush=True)\n    sys.stdin.readline()\n"
    )
    command = [sys.executable, "-c", code, str(store.folder / "store.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "mine\n"
        with pytest.raises(
            StoreError, match=r"another program has been changing the models in .*; try again, or end it"
        ):
            store.promote(ids[0])
        assert len(store.entries()) == 3  # looking is always possible
        other.communicate("enough\n")
    store.promote(ids[0])


# What is deleted


def entry(identity: str, day: int, mb: int = 1, **what: object) -> Entry:
    return Entry(identity, Path(identity), mb * 1_000_000, made_s=86400.0 * day, **what)  # type: ignore[arg-type]


def put_into_use(*identities: str) -> list[Promotion]:
    return [Promotion("", "", None, identity, "") for identity in identities]


def test_the_oldest_go_first() -> None:
    entries = [entry("d", 4, in_use=True), entry("c", 3), entry("b", 2), entry("a", 1)]
    gone = to_prune(entries, put_into_use("d"), PrunePolicy(most_models=2))
    assert [e.identity for e in gone] == ["a", "b"]
    gone = to_prune(entries, put_into_use("d"), PrunePolicy(most_bytes=3_000_000))
    assert [e.identity for e in gone] == ["a"]
    assert to_prune(entries, put_into_use("d"), PrunePolicy()) == ()


def test_what_is_in_use_pinned_or_the_way_back_never_goes() -> None:
    entries = [
        entry("d", 4),
        entry("c", 3, in_use=True, ancestors=("lost", "a", "spoilt")),
        entry("spoilt", 3, problem="damaged"),
        entry("b", 2, pinned=True),
        entry("a", 1),
    ]
    gone = to_prune(entries, put_into_use("b", "c"), PrunePolicy(most_models=1))
    assert [e.identity for e in gone] == ["d"]


def test_the_way_back_is_the_nearest_ancestor_else_the_last_in_use() -> None:
    sound = [entry("a", 1), entry("b", 2), entry("c", 3, ancestors=("a", "gone")), entry("d", 4)]
    assert rollback_target(sound, put_into_use("a", "b", "c")) == "a"
    assert rollback_target(sound, put_into_use("a", "b", "gone", "d")) == "b"
    assert rollback_target(sound, put_into_use("d")) is None
    assert rollback_target(sound, []) is None


def test_pruning_deletes_and_tells_what(store: ModelStore, ids: list[str]) -> None:
    store.promote(ids[2])
    (store.folder / ".0123456789ab.cras.x1y2").write_bytes(b"half of a model")  # its writer was killed
    (store.folder / "notes.txt").write_text("mine")
    assert [e.identity for e in store.prune(PrunePolicy(2))] == [ids[0]]
    assert sorted(e.identity for e in store.entries()) == sorted([ids[1], ids[2], "notes.txt"])
    assert not list(store.folder.glob(".0123*"))
    assert store.prune(PrunePolicy(1)) == ()  # the rest is in use, or the way back


def test_a_bound_of_nothing_is_refused() -> None:
    with pytest.raises(StoreError, match="a bound of a store must be 1 or more"):
        PrunePolicy(most_models=0)


def test_what_is_in_use_or_pinned_cannot_be_removed(store: ModelStore, ids: list[str]) -> None:
    store.promote(ids[0])
    with pytest.raises(StoreError, match=f"{ids[0]} is in use; put another one into use first"):
        store.remove(ids[0])
    assert store.pin(ids[1]).pinned
    assert store.entry(ids[1]).pinned
    with pytest.raises(StoreError, match=f"{ids[1]} is pinned; unpin it first"):
        store.remove(ids[1])
    assert not store.unpin(ids[1]).pinned
    assert store.remove(ids[1]).identity == ids[1]
    assert sorted(e.identity for e in store.entries()) == sorted([ids[0], ids[2]])


def test_a_place_that_is_no_folder_is_refused(tmp_path: Path, bundle: Bundle) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match=r"the store .*file cannot be used"):
        ModelStore(tmp_path / "file").add(bundle)


# What differs


def test_models_are_compared(store: ModelStore, generations: list[Bundle], ids: list[str]) -> None:
    first = generations[0]
    limit = dataclasses.replace(first.calibrations[0], limit=9.0, enrolled_quickly=True)
    samples = first.provenance["samples"]
    other = dataclasses.replace(
        first,
        config=dataclasses.replace(first.config, train=dataclasses.replace(first.config.train, seed=7)),
        calibrations=(limit, dataclasses.replace(first.calibrations[1], fabric="serge")),
        provenance=first.provenance
        | {
            "samples": {
                "plain": [*samples["plain"][1:], {"name": "new.png", "sha256": "ab"}],
                "serge": samples["twill"],
            }
        },
    )
    found = store.compare(ids[0], store.add(other).identity)
    assert (found.before, found.after) == (ids[0], other.identity)
    assert [(s.name, s.before, s.after) for s in found.settings] == [("train.seed", 0, 7)]
    assert (found.fabrics_added, found.fabrics_removed) == (("serge",), ("twill",))
    assert [(x.fabric, x.before, x.after, x.provisional) for x in found.limits] == [
        ("plain", first.calibrations[0].limit, 9.0, True),
        ("twill", first.calibrations[1].limit, None, False),
        ("serge", None, first.calibrations[1].limit, False),
    ]
    plain = found.samples[0]
    assert (plain.fabric, plain.added, plain.removed) == ("plain", ("new.png",), (samples["plain"][0]["name"],))
    assert found.same_heads
    assert found.samples_unknown == ()


def test_pictures_that_a_model_does_not_tell_are_not_compared(store: ModelStore, generations: list[Bundle]) -> None:
    silent = dataclasses.replace(rename_fabric(generations[0], "twill", "denim"), provenance={"program": "from before"})
    store.add(silent)
    found = store.compare(generations[0].identity, silent.identity)
    assert found.samples == ()
    assert found.samples_unknown == (silent.identity,)
    assert store.entry(silent.identity).kind == "import"


def test_a_damaged_model_cannot_be_read(store: ModelStore, ids: list[str], generations: list[Bundle]) -> None:
    path = store.entry(ids[0]).path
    write_bundle(generations[1], path)
    with pytest.raises((StoreError, BundleError), match="renamed or exchanged"):
        store.read(ids[0])


def test_the_file_of_the_store_can_be_read_by_a_person(store: ModelStore, ids: list[str]) -> None:
    store.promote(ids[0], "größer")
    told = json.loads((store.folder / "store.json").read_text(encoding="utf-8"))
    assert told["promotions"][0]["reason"] == "größer"
    assert "größer" in (store.folder / "store.json").read_text(encoding="utf-8")
