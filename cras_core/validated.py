"""Values that are checked where they are made, whoever makes them: a caller, the command line, a file.

pydantic does the checking, strictly: nothing is converted, nothing unknown is taken, no number is infinite or NaN. This
module adds what it lacks here: one class of errors, sentences that name the setting, and whole numbers that stay what
they are.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import pydantic.dataclasses
from pydantic import AfterValidator, AllowInfNan, ConfigDict, Field, ValidationError, WrapValidator
from typing_extensions import dataclass_transform

from cras_core.errors import ConfigError, CrasError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

LONGEST_QUOTE = 100
"""Characters of foreign text that a message repeats at most."""


def _checked_as_it_is(value: object, check: Callable[[object], float]) -> object:
    checked = check(value)
    return value if type(value) is int else checked


Number = Annotated[float, WrapValidator(_checked_as_it_is)]
"""A finite number. A whole number is not turned into a float: a model's identity is the hash of its settings as JSON,
and 1 is another text than 1.0."""

Endless = Annotated[float, AllowInfNan(), WrapValidator(_checked_as_it_is)]
"""The same where infinity means that there is no bound; with a lower bound, which keeps NaN out."""

Whole = Annotated[int, Field(le=2**31 - 1)]
"""A whole number that any library can hold; with a lower bound from case to case."""


def _plain(value: object, room: int = 16) -> object:
    if room == 0:
        raise ValueError("it is nested too deeply")
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _plain(part, room - 1)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is no number")
    return value


Plain = Annotated[Any, AfterValidator(_plain)]
"""Whatever JSON can hold, for values that this program only keeps: finite, and not nested more than 16 deep."""

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
def validated(
    name: str, raises: type[CrasError] = ConfigError, *, takes_more: bool = False
) -> Callable[[type[T]], type[T]]:
    """Makes a frozen dataclass of a class; making one with a value that cannot be is an error.

    Args:
        name: of the group of values, as its fields are addressed: ``train`` for ``train.epochs``. Empty for a class
            that is the whole.
        raises: the error.
        takes_more: values that the class does not know are passed by, as in files that a later version may write.
    """
    config: ConfigDict = {**STRICT, "extra": "ignore" if takes_more else "forbid"}

    def make(cls: type[T]) -> type[T]:
        made: Any = pydantic.dataclasses.dataclass(cls, frozen=True, slots=True, config=config)
        check = made.__init__

        def init(self: T, *args: object, **values: object) -> None:
            try:
                check(self, *args, **values)
            except ValidationError as error:
                what = "setting" if raises is ConfigError else "value"
                raise raises("; ".join(sentences(error, (name,) if name else (), what))) from error

        made.__init__ = init
        return made  # type: ignore[no-any-return]

    return make


def sentences(error: ValidationError, within: Sequence[str | int] = (), what: str = "setting") -> list[str]:
    """What is wrong, a sentence for each value, that names it by its dotted name: ``train.epochs must be 1 or more, not
    0``.

    Args:
        error: as pydantic raises it.
        within: names that the value's own name follows.
        what: word for something that is not known.
    """
    return list(_sentences(error.errors(include_url=False), tuple(within), what))


def _sentences(details: Sequence[ErrorDetails], within: tuple[str | int, ...], what: str) -> Iterator[str]:
    for detail in details:
        name = ".".join(map(str, (*within, *detail["loc"])))[:LONGEST_QUOTE]
        if detail["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
            yield f"unknown {what} {name}"
        elif detail["type"] == "missing":
            yield f"{name} is missing"
        elif detail["type"] in ("value_error", "assertion_error"):
            told = str(detail["ctx"]["error"])
            yield f"{name}: {told}" if name else told
        else:
            yield f"{name or 'it'} must {_wanted(detail)}, not {quoted(detail['input'])}"


_WANTED = {
    "greater_than_equal": "be {ge} or more",
    "greater_than": "be more than {gt}",
    "less_than_equal": "be {le} or less",
    "less_than": "be less than {lt}",
    "multiple_of": "be a multiple of {multiple_of}",
    "literal_error": "be {expected}",
    "int_type": "be a whole number",
    "int_from_float": "be a whole number",
    "float_type": "be a number",
    "finite_number": "be a finite number",
    "bool_type": "be true or false",
    "string_type": "be a text",
    "string_too_short": "have {min_length} characters or more",
    "string_too_long": "have {max_length} characters or fewer",
    "string_pattern_mismatch": "be written as {pattern}",
    "tuple_type": "be a list",
    "list_type": "be a list",
    "too_short": "have {min_length} values or more",
    "too_long": "have {max_length} values or fewer",
    "dict_type": "hold further values",
    "dataclass_type": "hold further settings",
    "dataclass_exact_type": "hold further settings",
    "model_type": "hold further values",
    "none_required": "be null",
    "json_invalid": "be JSON ({error})",
}


def _wanted(detail: ErrorDetails) -> str:
    wanted = _WANTED.get(detail["type"])
    if wanted is None:  # pydantic's own words: "Input should be ..."
        return detail["msg"].removeprefix("Input should ")[:LONGEST_QUOTE]
    return wanted.format(**detail.get("ctx", {}))


def quoted(value: object) -> str:
    """A foreign value for a message, cut after ``LONGEST_QUOTE`` characters."""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 4 * LONGEST_QUOTE:
        return "a number of very many digits"  # Python refuses to write some of them out
    if isinstance(value, str):
        value = value[: LONGEST_QUOTE + 1]
    text = repr(value)
    return text if len(text) <= LONGEST_QUOTE else f"{text[: LONGEST_QUOTE - 3]}..."
