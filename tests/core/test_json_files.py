"""Whatever a file of JSON holds, reading it gives a checked value or one error that names the file and the field."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from dataclasses import field
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from cras_core.errors import CrasError, DataError, JsonFileError
from cras_core.files import write_json
from cras_core.json_files import parse_json, read_json
from cras_core.validated import Number, Plain, Whole, validated


@validated("", DataError)
class Part:
    length_m: Annotated[Number, Field(gt=0)]
    count: Annotated[Whole, Field(ge=0)] = 0


@validated("", DataError)
class Thing:
    name: str
    kind: Literal["a", "b"] = "a"
    parts: tuple[Part, ...] = ()
    more: dict[str, Plain] = field(default_factory=dict)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    more = {"deep": [{"x": [1, 2.5, None, True, "å"]}], "large": 2**100}
    parts = [{"length_m": 2}, {"length_m": 0.5, "count": 3}]
    write_json(path, {"name": "denim", "kind": "b", "parts": parts, "more": more})
    assert read_json(path, Thing) == Thing("denim", "b", (Part(2), Part(0.5, 3)), more)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())  # as an editor of Windows saves it
    assert read_json(path, Thing).name == "denim"


NAMED = '{"name": "x", %s}'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ("\x00", "is not JSON"),
        ("[" * 100_000, "recursion limit"),
        ('{"more":' * 100_000, "recursion limit"),
        ('{"name": "x", "more": {"a": %s}}' % ("[" * 150 + "]" * 150), "more.a: it is nested too deeply"),
        ("[]", "must hold further"),
        ("null", "must hold further"),
        ("3", "must hold further"),
        ('"text"', "must hold further"),
        ("{}", "name is missing"),
        ('{"name": 3}', "name must be a text, not 3"),
        ('{"name": null}', "name must be a text, not None"),
        (NAMED % '"kind": "c"', "kind must be 'a' or 'b', not 'c'"),
        (NAMED % '"colour": 1', "unknown value colour"),
        (NAMED % '"parts": "abc"', "parts must be a list, not 'abc'"),
        (NAMED % '"parts": {"length_m": 1}', "parts must be a list"),
        (NAMED % '"parts": [3]', "parts.0 must hold further"),
        (NAMED % '"parts": [{"length_m": 0}]', "parts.0.length_m must be more than 0, not 0"),
        (NAMED % '"parts": [{"length_m": "1"}]', "parts.0.length_m must be a number, not '1'"),
        (NAMED % '"parts": [{"length_m": true}]', "parts.0.length_m must be a number, not True"),
        (NAMED % '"parts": [{"length_m": NaN}]', "is not JSON"),
        (NAMED % '"parts": [{"length_m": -Infinity}]', "is not JSON"),
        (NAMED % '"more": {"a": NaN}', "is not JSON"),
        (NAMED % '"parts": [{"length_m": 1e999}]', "parts.0.length_m must be a finite number, not inf"),
        (NAMED % '"more": {"a": [1e999]}', "more.a: inf is no number"),
        (NAMED % f'"parts": [{{"length_m": 1{"0" * 400}}}]', "parts.0.length_m must be a number, not a number of very"),
        (NAMED % f'"parts": [{{"length_m": 1, "count": 1{"0" * 400}}}]', "parts.0.count must be 2147483647 or less"),
        (NAMED % f'"parts": [{{"length_m": 1{"0" * 9000}}}]', "out of range"),
        (NAMED % '"parts": [{"length_m": 1, "count": 1.5}]', "parts.0.count must be a whole number, not 1.5"),
        (NAMED % '"parts": [{"length_m": 1, "count": -1}]', "parts.0.count must be 0 or more, not -1"),
        (NAMED % f'"kind": "{"c" * 3000}"', "kind must be 'a' or 'b', not 'ccc"),
        (NAMED % f'"{"c" * 3000}": 1', "unknown value ccc"),
        (json.dumps({"name": "x", "parts": [{"length_m": "y" * 3000}] * 50}), "and 49 more"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_anything_else_is_one_error_that_names_the_file_and_the_field(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(JsonFileError) as caught:
        read_json(path, Thing)
    message = str(caught.value).removeprefix(str(path))
    assert str(caught.value).startswith(str(path))
    assert said in message
    assert len(message) < 600
    assert "c" * 101 not in message
    assert "y" * 101 not in message
    assert caught.value.fault == "content"


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for data in (b"\xff\xfe{}", b'{"name": "\xe9"}', "{}".encode("utf-16"), os.urandom(1000)):
        path.write_bytes(data)
        with pytest.raises(JsonFileError):
            read_json(path, Thing)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "kind", "parts", "more", "z"]), inner, max_size=5)
    ),
    max_leaves=12,
)


@given(json_values | st.text())
def test_no_value_at_all_raises_anything_else(value: object) -> None:
    with contextlib.suppress(JsonFileError):
        parse_json(value if isinstance(value, str) else json.dumps(value), Thing, "it")


def test_what_cannot_be_read_at_all_says_why(tmp_path: Path) -> None:
    with pytest.raises(JsonFileError, match=r"a\.json: there is no such file") as caught:
        read_json(tmp_path / "a.json", Thing)
    assert caught.value.fault == "missing"
    with pytest.raises(JsonFileError, match="cannot be read: it is not a regular file") as caught:
        read_json(tmp_path, Thing)
    assert caught.value.fault == "unreadable"
    (tmp_path / "large.json").write_text(json.dumps({"name": "x" * 5000}))
    with pytest.raises(JsonFileError, match="is larger than 0 MiB, so it is not read"):
        read_json(tmp_path / "large.json", Thing, 1000)
    with pytest.raises(JsonFileError):
        read_json(tmp_path / ("x" * 5000), Thing)
    with pytest.raises(JsonFileError):
        read_json(Path("a\0b"), Thing)


@pytest.mark.skipif(sys.platform == "win32", reason="no such files there")
def test_a_pipe_or_a_device_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(JsonFileError, match="it is not a regular file"):
            read_json(path, Thing)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device there")
def test_a_device_that_takes_nothing_is_an_error_and_stays_a_device() -> None:
    before = Path("/dev/full").stat()
    with pytest.raises(CrasError, match="/dev/full cannot be written: No space left on device"):
        write_json(Path("/dev/full"), {"a": 1})
    assert Path("/dev/full").stat().st_ino == before.st_ino


@pytest.mark.skipif(sys.platform == "win32", reason="no such files there")
def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()
    write_json(pipe, {"a": float("nan"), "b": float("inf")})
    reader.join()
    assert json.loads(got[0]) == {"a": None, "b": None}
    assert pipe.is_fifo()


def test_several_problems_repeat_no_more_of_a_file_than_one(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"name": "a", "parts": [{"Qz" * 500: "Qz" * 500}] * 30}))
    with pytest.raises(JsonFileError, match="more") as caught:
        read_json(path, Thing)
    assert str(caught.value).count("Qz") * 2 <= 300
