"""Sentences with a code, so that programs compare codes and people read their own language.

A ``Message`` has a code, an English template that stands where the message is made, and the values that fill it. The
sentence is made when somebody reads it; a catalogue may then give another template for the code. What the values hold
was often written by somebody else (a file, a camera, a library): it is escaped and cut when it is filled in, so that no
message repeats a megabyte or moves the cursor of a terminal.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping, Sequence
from numbers import Number
from pathlib import PurePath
from types import MappingProxyType

LONGEST_TEXT = 120
"""Characters of foreign text that a message repeats at most."""
LONGEST_PATH = (
    260  # a path is copied from the message to mend what it names, so it is cut only where no system needs it
)
LONGEST_REASON = 200  # of what a library or the operating system says about its error
MOST_ITEMS = 20
"""Items of a list that a message repeats at most."""

_DIGITS_OF_AN_INT = 400  # bits; beyond some thousand digits Python refuses to write a number out

_catalogue: Mapping[str, str] = MappingProxyType({})


def use_catalogue(catalogue: Mapping[str, str]) -> None:
    """From now on messages are made with other templates, those of another language.

    Args:
        catalogue: template by code; a hint has the code of its message with ``.hint`` behind it. A code that is missing
            is shown in English.
    """
    global _catalogue  # noqa: PLW0603 (one program speaks one language)
    _catalogue = MappingProxyType(dict(catalogue))


class Sentence(str):
    """Text that this program has made itself: what is foreign in it is cut already, so that it is filled in whole."""

    __slots__ = ()


class Message:
    """What happened, as a code and values.

    Attributes:
        code: what it means; one code has one template everywhere.
        template: the English sentence with ``{name}`` for every value. ``{name!r}`` puts a value into quotation marks,
            ``{share:.0%}`` formats a number, ``{names}`` joins a list with commas and ``{names:; }`` with semicolons.
        values: what fills it, by name.
        hint_template: the way out that a command line has: options and commands, which a window does not show.
    """

    __slots__ = ("code", "hint_template", "template", "values")

    def __init__(self, code: str, template: str, /, *, hint: str = "", **values: object) -> None:
        self.code, self.template, self.hint_template = code, template, hint
        self.values: Mapping[str, object] = MappingProxyType(values)

    def __str__(self) -> str:
        return _sentence(self.code, self.template, self.values)

    def __repr__(self) -> str:
        return f"Message({self.code!r}, {str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash((self.code, self.template))

    def __reduce__(self) -> tuple[object, ...]:
        values = {name: portable(value) for name, value in self.values.items()}
        return _rebuilt, (self.code, self.template, self.hint_template, values)

    def _parts(self) -> tuple[str, str, str, dict[str, object]]:
        return self.code, self.template, self.hint_template, dict(self.values)

    @property
    def hint(self) -> str:
        """The way out for a command line, those of the messages among the values included; empty without any."""
        own = _sentence(f"{self.code}.hint", self.hint_template, self.values) if self.hint_template else ""
        return " ".join(dict.fromkeys(filter(None, (*(told.hint for told in self._told()), own))))

    def _told(self) -> Iterator[Message]:
        for value in self.values.values():
            for item in value if isinstance(value, list | tuple) else (value,):
                message = message_of(item)
                if message is not None:
                    yield message


def _rebuilt(code: str, template: str, hint: str, values: Mapping[str, object]) -> Message:
    return Message(code, template, hint=hint, **values)


def message_of(value: object) -> Message | None:
    """The message that a value is, or that it carries as an error does; None where it has none."""
    found = value if isinstance(value, Message) else getattr(value, "message", None)
    return found if isinstance(found, Message) else None


def portable(value: object) -> object:
    """A value that another process can read: what may not survive pickling becomes the text that it is shown as."""
    if value is None or isinstance(value, str | Number | PurePath | Message) or message_of(value) is not None:
        return value
    if isinstance(value, list | tuple):
        return tuple(portable(item) for item in value)
    return Sentence(shown(value))


def _sentence(code: str, template: str, values: Mapping[str, object]) -> str:
    translated = _catalogue.get(code)
    if translated is not None:
        try:
            return _filled(translated, values)
        except (KeyError, ValueError):
            # A fault of the translation must not hide the error that is told; English says it too.
            return _filled(template, values)
    return _filled(template, values)


def _filled(template: str, values: Mapping[str, object]) -> str:
    parts: list[str] = []
    ends_sentence = False
    for literal, name, spec, conversion in string.Formatter().parse(template):
        # A sentence that is filled in brings its own full stop; the template may set another one behind it.
        parts.append(literal.removeprefix(".") if ends_sentence else literal)
        ends_sentence = False
        if name is not None:
            value = values[name]
            parts.append(quoted(value) if conversion == "r" else shown(value, spec or ""))
            is_told = isinstance(value, BaseException | Sentence) or message_of(value) is not None
            ends_sentence = is_told and parts[-1].endswith(".")
    return "".join(parts)


def shown(value: object, spec: str = "") -> str:
    """A value as text that can be shown anywhere: bounded, and without control characters if it is foreign.

    Args:
        value: anything.
        spec: for a number as in ``format``; for a list what stands between its items.
    """
    message = message_of(value)
    if message is not None:
        return str(message)
    if isinstance(value, Sentence):
        return str(value)
    if isinstance(value, list | tuple):
        return (spec or ", ").join(shown(item) for item in first_of(value))
    if isinstance(value, Number):
        return _number(value, spec)
    return _foreign(value)


def _foreign(value: object) -> str:
    if isinstance(value, PurePath):
        return cut(printable(str(value)), LONGEST_PATH)
    if isinstance(value, BaseException):
        return cut(printable(_reason(value)), LONGEST_REASON)
    return cut(printable(str(value)))


def first_of(items: Sequence[object], most: int = MOST_ITEMS) -> list[object]:
    """The first items of a list, and how many more there are."""
    rest = len(items) - most
    return [*items[:most], *([Message("more-items", "and {count} more", count=rest)] if rest > 0 else [])]


def _number(value: object, spec: str) -> str:
    if isinstance(value, int) and value.bit_length() > _DIGITS_OF_AN_INT:
        return "a number of very many digits"
    return format(value, spec)


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:  # without the number and the path, which the message names itself
        return error.strerror
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def quoted(value: object) -> str:
    """A foreign value in quotation marks, as Python writes it, cut after ``LONGEST_TEXT`` characters."""
    if isinstance(value, int):
        return _number(value, "")
    if isinstance(value, PurePath):
        value = str(value)
    if isinstance(value, str):
        value = cut(value)
    return cut(repr(value))


def cut(text: str, most: int = LONGEST_TEXT) -> str:
    """Text of at most so many characters; what lies in its middle goes, since the end of a path tells more."""
    if len(text) <= most:
        return text
    head = most // 2
    return f"{text[:head]}…{text[len(text) - (most - head - 1) :]}"


def printable(text: str) -> str:
    r"""Text without control characters: each becomes its escape, a byte of a file's name that is no UTF-8 ``\xff``."""
    return text if text.isprintable() else "".join(c if c.isprintable() else _escape(c) for c in text)


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # Python's stand-in for such a byte
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")
