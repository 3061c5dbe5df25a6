"""What the fuzz tests share: files that somebody has damaged or made to do harm, and what must hold whatever is read.

How many inputs each test tries is set by ``FUZZ_INPUTS``; see CONTRIBUTING.md.
"""

from __future__ import annotations

import json
import os
import random
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cras_core.errors import CrasError

FIXTURES = Path(__file__).parents[1] / "fixtures" / "version_0_1"
INPUTS = int(os.environ.get("FUZZ_INPUTS", "40"))
"""Of each test."""

FOREIGN = "Qz"
"""What hostile text is made of, so that a message can be searched for it."""
MOST_FOREIGN = 300
"""Characters of somebody else's text in one message."""

LONGEST_S = 20.0  # of the processor, for one input; the slowest takes a hundredth
LARGEST_GROWTH_KB = 1 << 20  # of the whole process, by all inputs of a test; most take a hundredth

tried: dict[str, int] = {}
"""Inputs so far, by test."""


def fuzzed(test: Callable[..., None], share: float = 1.0) -> Callable[..., None]:
    """Runs a test with many seeds; with few inputs they are the same in every run. ``share`` is for slow ones."""
    inputs = max(5, round(INPUTS * share))
    chosen = settings(
        max_examples=inputs,
        deadline=None,
        derandomize=INPUTS <= 100,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    made: Callable[..., None] = chosen(given(seed=st.integers(0, 2**48))(test))
    return made


@contextmanager
def holds(name: str, folder: Path | None = None) -> Iterator[None]:
    """What must hold of reading one input: an error of ours or none, in bounded time and memory, nothing of the message
    too long, and nothing written outside.

    Args:
        name: of the reader.
        folder: where alone it may write; what lies beside it stays as it is. None where it may write nowhere.
    """
    tried[name] = tried.get(name, 0) + 1
    beside = _tree(folder.parent, but=folder) if folder is not None else None
    begun_s, begun_kb = time.process_time(), _largest_kb()
    try:
        yield
    except CrasError as error:
        check_message(str(error))
        check_message(error.hint)
    assert time.process_time() - begun_s < LONGEST_S, f"{name} took too long"
    assert _largest_kb() - begun_kb < LARGEST_GROWTH_KB, f"{name} took too much memory"
    if folder is not None:
        assert _tree(folder.parent, but=folder) == beside, f"{name} has written outside its folder"


def check_message(text: str) -> None:
    """A message is short, and a terminal may print it."""
    foreign = text.count(FOREIGN) * len(FOREIGN)
    assert foreign <= MOST_FOREIGN, f"{foreign} characters of somebody else's text: {text[:400]}"
    assert all(c.isprintable() or c == "\n" for c in text), f"control characters: {text[:400]!r}"
    assert len(text) < 4000, f"a message of {len(text)} characters: {text[:400]}"


def _tree(root: Path, but: Path) -> dict[str, tuple[int, int]]:
    paths = [p for p in root.iterdir() if p != but]
    return {str(p): (p.lstat().st_size, p.lstat().st_mtime_ns) for p in paths}


def _largest_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


_BYTES = (
    b"\0",
    b"\xff",
    b"\xff\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\0\0\0\x80",
    b"\x7f",
    b"[",
    b'"',
    b"{",
    b"-1",
    b"9" * 400,
)
_TEXT = FOREIGN.encode() * 2000


def damaged(data: bytes, seed: int) -> bytes:
    """Some bytes of a file changed, taken out, put in or cut off."""
    rng = random.Random(seed)
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        # The head of a file decides most.
        end = min(len(found), rng.choice((16, 64, 512, 1 << 20))) or 1
        at, kind = rng.randrange(end), rng.randrange(7)
        if kind == 0 and found:
            found[at % len(found)] ^= 1 << rng.randrange(8)
        elif kind == 1:
            part = rng.choice(_BYTES)
            found[at : at + len(part)] = part
        elif kind == 2:
            del found[at : at + rng.choice((1, 2, 4, 100, 10_000))]
        elif kind == 3:
            found[at:at] = found[at : at + rng.choice((1, 4, 64, 4096))]
        elif kind == 4:
            del found[rng.randrange(len(found) + 1) :]
        elif kind == 5:
            found[at:at] = rng.choice((_TEXT, *_BYTES))
        else:
            found[at : at + 8] = rng.getrandbits(64).to_bytes(8, "little")
    return bytes(found)


class Raw(str):
    """A piece of JSON as it is written."""

    __slots__ = ()


HOSTILE: tuple[Any, ...] = (
    None, True, -1, 0, 1, 2**31, 2**63, 2**64, -(2**70), 0.5, 1e308, "", "1", [], {}, [[]], [1, 2, 3],
    Raw("1" + "0" * 400), Raw("1e999"), Raw("-1e999"), Raw("NaN"), Raw("Infinity"), Raw("[" * 5000),
    Raw("[" * 300 + "]" * 300),
    Raw('"\\ud800"'), Raw("1.0"), FOREIGN * 2000, {FOREIGN * 2000: 1}, [FOREIGN * 500] * 20,
    "../../escaped", "/etc/hostname", "a\0b", "C:\\x", "<img src='file:///etc/hostname'>", "\x1b[2J\n\r", "é" * 300,
    "x" * 300,
    {"self": 1}, {"__class__": "x"}, {"": {"": {"": 0}}},
)  # fmt: skip
"""Values that readers have stumbled over."""


def hostile(value: Any, seed: int) -> bytes:
    """JSON in which a value or two are replaced, taken out, or joined by others."""
    rng = random.Random(seed)
    changed = json.loads(json.dumps(value))
    for _ in range(rng.choice((1, 1, 2))):
        changed = _changed(changed, rng)
    data = _written(changed).encode("utf-8", "surrogatepass")
    return damaged(data, seed) if rng.random() < 0.2 else data


def _changed(value: Any, rng: random.Random) -> Any:
    if isinstance(value, Raw):
        return value
    if isinstance(value, dict) and value and rng.random() < 0.85:
        key = rng.choice(list(value))
        kind = rng.random()
        if kind < 0.1:
            return {k: v for k, v in value.items() if k != key}
        if kind < 0.2:
            return {**value, rng.choice(("self", "cls", "x", FOREIGN * 500, "\0")): rng.choice(HOSTILE)}
        return {k: _changed(v, rng) if k == key else v for k, v in value.items()}
    if isinstance(value, list) and value and rng.random() < 0.85:
        at = rng.randrange(len(value))
        kind = rng.random()
        if kind < 0.15:
            return value[:at] + value[at + 1 :]
        if kind < 0.25:
            return value * rng.choice((2, 50))
        return [_changed(v, rng) if i == at else v for i, v in enumerate(value)]
    return rng.choice(HOSTILE)


def _written(value: Any) -> str:
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{_written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    return json.dumps(value)
