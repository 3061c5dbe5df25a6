"""Settings are checked where they are made, whoever makes them: a caller, the command line, a file."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from cras_core.errors import ConfigError


def check_types(settings: Any) -> None:
    """Every field of a settings dataclass holds what it is declared to hold, and no number is infinite or NaN.

    Raises:
        ConfigError: a field does not; the text names it.
    """
    for name, hint in _hints(type(settings)).items():
        value = getattr(settings, name)
        if not _fits(value, hint):
            group = type(settings).__name__.removesuffix("Config").lower()
            raise ConfigError(f"{group}: {name} cannot be {value!r}: it is {_spelled(hint)}")


def _hints(kind: type) -> dict[str, Any]:
    if kind not in _known:
        hints = get_type_hints(kind)
        _known[kind] = {f.name: hints[f.name] for f in fields(kind)}
    return _known[kind]


_known: dict[type, dict[str, Any]] = {}


def _fits(value: Any, hint: Any) -> bool:
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, option) for option in get_args(hint))
    if origin is Literal:
        return any(value == option and type(value) is type(option) for option in get_args(hint))
    if origin is tuple:
        return isinstance(value, tuple) and all(_fits(v, get_args(hint)[0]) for v in value)
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)


def _spelled(hint: Any) -> str:
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return " or ".join(_spelled(option) for option in get_args(hint))
    if origin is Literal:
        return f"one of {', '.join(map(str, get_args(hint)))}"
    if origin is tuple:
        return f"a list, each {_spelled(get_args(hint)[0])}"
    if is_dataclass(hint):
        return "a group of settings"
    return {float: "a number", int: "a whole number", bool: "true or false", str: "a text", NoneType: "null"}[hint]
