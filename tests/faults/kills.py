"""SIGKILL at random moments of every command and of the window, and what is found afterwards by another program."""

from __future__ import annotations

import json
import random
import shutil
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from aoi_app.sources.recording.replay import Replay
from aoi_app.sources.source import EndOfWeb
from cras_core.data.samples.store import SampleStore
from cras_core.errors import CrasError
from tests.faults.mill import Mill
from tests.faults.promises import Book, model_is_whole, records_are_sound, store_is_sound
from tests.faults.running import AOI, CRAS, Ended, run

Found = Iterator[tuple[str, str]]
_SHARED = Path("/dev/shm")


@dataclass(frozen=True, slots=True)
class Victim:
    """A command that is killed.

    Attributes:
        name: for the table.
        command: with its arguments; ``home`` is its folder, and the number is that of the try.
        look: what is promised of what it leaves there.
        ends: whether it comes to its end by itself.
        longest_s: it is killed within so long, where it does not.
        share: of all kills.
    """

    name: str
    command: Callable[[Path, int], list[str]]
    look: Callable[[Path, Ended], Found]
    ends: bool = True
    longest_s: float = 0.0
    share: float = 1.0


def victims(mill: Mill) -> list[Victim]:
    """Every command that writes something."""
    loom, strips, bundle = str(mill.strips), str(mill.strips / "plain" / "defect"), str(mill.bundle)

    def store_of(home: Path) -> Path:
        folder = home / "models"
        if not folder.exists():
            shutil.copytree(mill.models, folder)
        return folder

    def samples_of(home: Path) -> Path:
        folder = home / "library"
        if not folder.exists():
            shutil.copytree(mill.library, folder)
        return folder

    def use(home: Path, number: int) -> list[str]:
        return [*CRAS, "models", str(store_of(home)), "use", mill.identities[number % len(mill.identities)]]

    inspect = [*AOI, "inspect", "--bundle", bundle, "--out", "out"]
    return [
        Victim("aoi inspect", lambda *_: [*inspect, strips, "--maps", "--one-web"], _records, share=1.5),
        Victim("aoi inspect, camera", lambda _, n: [
            *inspect, "--source", "synthetic:17", "--preset", str(mill.preset), "--lines", "3000",
            "--record", "recordings",
        ], _recorded, share=1.5),
        Victim("aoi export", lambda _, n: [*AOI, "export", "1", "--out", "exported", "--database",
                                           f"sqlite:///{mill.database}"], _exported),
        Victim("cras train", lambda *_: [*CRAS, "train", loom, "--out", "model.cras", *mill.small], _model, share=1.5),
        Victim("cras enrol", lambda *_: [*CRAS, "enrol", bundle, "satin", str(mill.strips / "satin"), "--out",
                                         "model.cras"], _model),
        Victim("cras export", lambda *_: [*CRAS, "export", bundle, "--out", "model.onnx"], _onnx, share=0.5),
        Victim("cras retrain", lambda home, _: [*CRAS, "retrain", str(samples_of(home)), str(store_of(home)),
                                                "--promote", "yes", *mill.small], _store),
        Victim("cras models use", use, _store),
        Victim("cras samples add", lambda home, n: [*CRAS, "samples", str(samples_of(home)), "add", "plain",
                                                    str(mill.strips / "plain" / "normal")], _samples),
        Victim("window", lambda _, n: [sys.executable, "-m", "tests.faults.window", bundle, "loom:plain", str(n)],
               _window, ends=False, longest_s=60.0, share=3.0),
    ]  # fmt: skip


def kill_all(mill: Mill, folder: Path, kills: int, seed: int, book: Book, say: Callable[[str], None]) -> None:
    """So many kills in all, each at a moment of its own."""
    chance = random.Random(seed)
    chosen = victims(mill)
    total = sum(v.share for v in chosen)
    for victim in chosen:
        home = folder / victim.name.replace(" ", "-").replace(",", "")
        count = max(1, round(kills * victim.share / total))
        longest_s = victim.longest_s
        if victim.ends:
            whole = run(victim.command(home, 0), home)
            longest_s = whole.took_s
            book.try_all(victim.name, _ended(whole))
        killed = 0
        for number in range(count):
            after_s = chance.uniform(0.3, max(1.0, longest_s))
            ended = run(victim.command(home, number), home, kill_after_s=after_s)
            killed += ended.code == -9
            book.try_all(victim.name, [*victim.look(home, ended), *_nothing_left(ended)])
        if victim.ends:  # the next start works, with whatever the last one has left
            book.try_all(victim.name, [*_ended(run(victim.command(home, 1), home)), *victim.look(home, whole)])
        say(f"{victim.name}: {count} starts, {killed} of them killed, longest {longest_s:.0f} s")


def _ended(ended: Ended) -> Found:
    is_well = ended.code in (0, 3, 4) and not ended.is_traceback
    yield "it works, also after all kills", "" if is_well else f"exit status {ended.code}: {ended.said[-200:]}"


def _nothing_left(ended: Ended) -> Found:
    yield "no process of it is left", "; ".join(ended.left)
    yield "no traceback", ended.said[-300:] if ended.is_traceback else ""
    shared = [path.name for path in _SHARED.glob("psm_*")] if _SHARED.is_dir() else []
    yield "no shared memory is left", ", ".join(shared)


def _records(home: Path, _: Ended) -> Found:
    yield from records_are_sound(home / "out" / "records.db")
    yield from _json_is_whole(home / "out" / "defects.json")


def _recorded(home: Path, ended: Ended) -> Found:
    yield from _records(home, ended)
    for recording in (home / "recordings").glob("*"):
        wrong = ""
        try:
            with Replay(recording) as replay:
                while True:
                    replay.read(0.0)
        except EndOfWeb:
            pass
        except CrasError as error:
            # Cut off before it had begun is told in words, which is all that can be done.
            wrong = "" if not (recording / "recording.json").exists() else str(error)
        yield "a recording that was cut off can be replayed", wrong


def _exported(home: Path, _: Ended) -> Found:
    yield from _json_is_whole(home / "exported" / "defects.json")


def _model(home: Path, _: Ended) -> Found:
    yield from model_is_whole(home / "model.cras")


def _onnx(home: Path, _: Ended) -> Found:
    import onnx

    path, wrong = home / "model.onnx", ""
    if path.exists():
        try:
            onnx.load(path)
        except Exception as error:  # noqa: BLE001 (whatever a torn file makes onnx raise)
            wrong = str(error)
    yield "a file is whole or not there", wrong


def _store(home: Path, _: Ended) -> Found:
    if (home / "models").exists():
        yield from store_is_sound(home / "models")


def _samples(home: Path, _: Ended) -> Found:
    store = SampleStore(home / "library")
    problems = [f"{fabric.name}: {problem}" for fabric in store.fabrics() for problem in _problems(store, fabric.name)]
    yield "every sample is whole or not there", "; ".join(problems[:3])


def _problems(store: SampleStore, fabric: str) -> Iterator[str]:
    try:
        for sample in store.samples(fabric):
            store.image(sample)
    except CrasError as error:
        yield str(error)


def _window(home: Path, ended: Ended) -> Found:
    told: dict[int, set[int]] = defaultdict(set)
    for line in ended.said.splitlines():
        word, *numbers = line.split()[:3] or [""]
        if word == "told" and len(numbers) == 2:
            told[int(numbers[0])].add(int(numbers[1]))
        elif word == "withdrawn" and len(numbers) == 2:
            told[int(numbers[0])].discard(int(numbers[1]))
    yield from records_are_sound(home / "data" / "aoi" / "records.db", told)


def _json_is_whole(path: Path) -> Found:
    wrong = ""
    if path.exists():
        try:
            json.loads(path.read_bytes())
        except ValueError as error:
            wrong = str(error)
    yield "a file is whole or not there", wrong
