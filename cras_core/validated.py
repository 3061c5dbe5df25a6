"""Values that are checked where they are made, whoever makes them: a caller, the command line, a file.

pydantic does the checking, strictly: nothing is converted, nothing unknown is taken, no number is infinite or NaN. This
module adds what it lacks here: one class of errors, sentences that name the setting, and whole numbers that stay what
they are.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import pydantic.dataclasses
from pydantic import AfterValidator, AllowInfNan, ConfigDict, Field, ValidationError, WrapValidator
from typing_extensions import dataclass_transform

from cras_core.errors import ConfigError, CrasError
from cras_core.messages import Message, Sentence, cut, printable

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


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
                problems = problems_of(error, (name,) if name else (), of_settings=raises is ConfigError)
                raise raises("values-wrong", "{problems:; }", problems=problems) from error

        made.__init__ = init
        return made  # type: ignore[no-any-return]

    return make


def problems_of(
    error: ValidationError, within: Sequence[str | int] = (), *, of_settings: bool = False
) -> list[Message]:
    """What is wrong, a message for each value, that names it by its dotted name: ``train.epochs must be 1 or more, not
    0``.

    Args:
        error: as pydantic raises it.
        within: names that the value's own name follows.
        of_settings: the values are settings and are called so.
    """
    return [_problem(detail, tuple(within), of_settings) for detail in error.errors(include_url=False)]


def _problem(detail: ErrorDetails, within: tuple[str | int, ...], of_settings: bool) -> Message:
    name = ".".join(map(str, (*within, *detail["loc"])))
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in ("unexpected_keyword_argument", "extra_forbidden"):
        if of_settings:
            return Message("setting-unknown", "unknown setting {name}", name=name)
        return Message("value-unknown", "unknown value {name}", name=name)
    if kind == "missing":
        return Message("value-missing", "{name} is missing", name=name)
    if kind in ("value_error", "assertion_error"):
        told = context["error"]
        return Message("value-refused", "{name}: {reason}", name=name, reason=told) if name else _told(told)
    template = _MUST.get(kind)
    if template is None:  # pydantic's own words: "Input should be ..."
        wanted = Sentence(cut(printable(detail["msg"].removeprefix("Input should "))))
        context, template = {"wanted": wanted}, "{name} must {wanted}, not {value!r}"
    values = {key: Sentence(value) if isinstance(value, str) else value for key, value in context.items()}
    values |= {"name": name or Sentence("it"), "value": detail["input"]}
    return Message(f"value-{kind.replace('_', '-')}", template, **values)


def _told(reason: Exception) -> Message:
    return Message("value-refused-as-a-whole", "{reason}", reason=reason)


_MUST = {
    "greater_than_equal": "{name} must be {ge} or more, not {value!r}",
    "greater_than": "{name} must be more than {gt}, not {value!r}",
    "less_than_equal": "{name} must be {le} or less, not {value!r}",
    "less_than": "{name} must be less than {lt}, not {value!r}",
    "multiple_of": "{name} must be a multiple of {multiple_of}, not {value!r}",
    "literal_error": "{name} must be {expected}, not {value!r}",
    "int_type": "{name} must be a whole number, not {value!r}",
    "int_from_float": "{name} must be a whole number, not {value!r}",
    "float_type": "{name} must be a number, not {value!r}",
    "finite_number": "{name} must be a finite number, not {value!r}",
    "bool_type": "{name} must be true or false, not {value!r}",
    "string_type": "{name} must be a text, not {value!r}",
    "string_too_short": "{name} must have {min_length} characters or more, not {value!r}",
    "string_too_long": "{name} must have {max_length} characters or fewer, not {value!r}",
    "string_pattern_mismatch": "{name} must be written as {pattern}, not {value!r}",
    "tuple_type": "{name} must be a list, not {value!r}",
    "list_type": "{name} must be a list, not {value!r}",
    "too_short": "{name} must have {min_length} values or more, not {value!r}",
    "too_long": "{name} must have {max_length} values or fewer, not {value!r}",
    "dict_type": "{name} must hold further values, not {value!r}",
    "dataclass_type": "{name} must hold further settings, not {value!r}",
    "dataclass_exact_type": "{name} must hold further settings, not {value!r}",
    "model_type": "{name} must hold further values, not {value!r}",
    "none_required": "{name} must be null, not {value!r}",
    "json_invalid": "{name} must be JSON ({error}), not {value!r}",
}
