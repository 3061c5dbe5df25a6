"""What a message makes of its values: whatever somebody else wrote is bounded, and no terminal obeys it."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cras_core.errors import CrasError, DataError, JsonFileError, command_line_text
from cras_core.messages import LONGEST_PATH, LONGEST_TEXT, Message, Sentence, use_catalogue


@pytest.fixture
def german() -> Iterator[None]:
    """A catalogue of another language, as long as the test runs."""
    use_catalogue(
        {
            "too-few": "{what}: nur {count:.1f}.",
            "too-few.hint": "Mehr: --more {count}",
            "broken": "Es fehlt {nothing}.",
            "format": "{what:d",
        }
    )
    yield
    use_catalogue({})


def test_a_sentence_is_made_of_template_and_values() -> None:
    error = CrasError("too-few", "{what!r} has {share:.0%} of {count} in {places}.", what="a", share=0.5, count=3,
                      places=["x", Path("y")])  # fmt: skip
    assert str(error) == "'a' has 50% of 3 in x, y."
    assert error.code == "too-few"


@pytest.mark.parametrize("conversion", ["", "!r"])
def test_foreign_text_is_cut_in_its_middle_and_cannot_move_the_cursor(conversion: str) -> None:
    said = str(Message("m", "<{name" + conversion + "}>", name="begin\x1b[2J\n\u202e" + "x" * 3000 + "end"))
    assert len(said) <= LONGEST_TEXT + 20
    assert said.isprintable()
    assert "begin" in said
    assert "end" in said
    assert "…" in said


def test_paths_reasons_and_lists_are_bounded_too() -> None:
    assert len(str(Message("m", "{path}", path=Path("x" * 5000)))) == LONGEST_PATH
    assert len(str(Message("m", "{reason}", reason=ValueError("x" * 5000)))) < 250
    assert str(Message("m", "{names}", names=list(range(30)))).endswith("18, 19, and 10 more")
    assert str(Message("m", "{count}", count=10**5000)) == "a number of very many digits"


def test_a_path_within_what_systems_take_can_be_copied_out_of_a_message() -> None:
    path = Path("/" + "folder/" * 30 + "picture.png")
    assert str(Message("m", "{path}", path=path)) == str(path)


def test_a_name_that_is_no_text_is_shown_by_its_bytes() -> None:
    assert str(Message("m", "{path}", path=Path("a\udcff.png"))) == r"a\xff.png"


def test_an_error_of_the_system_is_told_without_number_and_path() -> None:
    assert str(Message("m", "It failed: {reason}.", reason=OSError(28, "No space left on device", "/x"))) == (
        "It failed: No space left on device."
    )
    assert str(Message("m", "It failed: {reason}.", reason=KeyError())) == "It failed: KeyError."


def test_a_told_error_is_filled_in_whole_and_its_full_stop_stands_once() -> None:
    inner = DataError("inner", "{text} is wrong.", text="y" * 100)
    outer = str(DataError("outer", "{first} {reason}.", first="x" * 100, reason=inner))
    assert outer == f"{'x' * 100} {'y' * 100} is wrong."


def test_text_that_the_program_made_is_not_cut() -> None:
    said = Sentence("line\n" * 100)
    assert str(Message("m", "{said}", said=said)) == said


@pytest.mark.usefixtures("german")
def test_a_catalogue_gives_another_sentence_and_another_hint() -> None:
    error = DataError("too-few", "Only {count} of {what}.", hint="More: --more {count}", what="Tuch", count=2)
    assert str(error) == "Tuch: nur 2.0."
    assert command_line_text(error) == "Tuch: nur 2.0. Mehr: --more 2"
    assert str(DataError("not-translated", "In English.")) == "In English."


@pytest.mark.usefixtures("german")
@pytest.mark.parametrize("code", ["broken", "format"])
def test_a_fault_of_a_translation_does_not_hide_the_error(code: str) -> None:
    assert str(DataError(code, "{what} failed.", what="It")) == "It failed."


def test_only_a_command_line_tells_options_also_those_of_an_inner_error() -> None:
    inner = DataError("inner", "no folder", hint="Name one: --out")
    outer = DataError("outer", "It failed ({reason})", reason=inner)
    assert str(outer) == "It failed (no folder)"
    assert command_line_text(outer) == "It failed (no folder). Name one: --out"
    assert command_line_text(DataError("plain", "It failed")) == "It failed"


class _Unwilling:
    def __str__(self) -> str:
        return "unwilling"

    def __reduce__(self) -> str:
        raise TypeError("it is not pickled")


def test_errors_cross_the_border_of_a_process() -> None:
    inner = DataError("inner", "{value} is wrong", value=_Unwilling())
    error = JsonFileError(
        "outer", "{path}: {share:.0%} {items} {reason}", fault="unreadable", hint="--x {path}",
        path=Path("a"), share=np.float32(0.25), items=[1, _Unwilling()], reason=inner,
    )  # fmt: skip
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is JsonFileError
    assert (back.code, back.fault, str(back), back.hint) == ("outer", "unreadable", str(error), "--x a")
    assert str(back) == "a: 25% 1, unwilling unwilling is wrong"
    assert back.message.values["reason"].code == "inner"


def test_an_exception_of_a_library_crosses_as_its_text() -> None:
    error = DataError("outer", "failed: {reason}", reason=UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad byte"))
    assert "bad byte" in str(error)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_messages_are_equal_when_they_say_the_same() -> None:
    assert Message("a", "{n}", n=1) == Message("a", "{n}", n=1)
    assert Message("a", "{n}", n=1) != Message("a", "{n}", n=2)
    assert Message("a", "a") != "a"
