"""The types of defects that a mill tells apart: a list that people edit, kept as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter
from pydantic.dataclasses import dataclass

from aoi_app.settings.strict_json import STRICT_DATACLASS, ContentError, read_json
from cras_core.errors import CrasError
from cras_core.files import write_atomically
from cras_core.web.regions import Shape

Severity = Literal["minor", "major", "critical"]


class DefectTypesError(CrasError):
    """Defect types cannot be kept; the text says why."""


@dataclass(frozen=True, slots=True, config=STRICT_DATACLASS)
class DefectType:
    """One kind of fault.

    Attributes:
        code: what the records call it; unique among the types.
        name: what people call it.
        severity: how grave it is.
        shape: what it usually looks like.
    """

    code: Annotated[str, Field(min_length=1, max_length=12)]
    name: Annotated[str, Field(min_length=1, max_length=60)]
    severity: Severity
    shape: Shape


STANDARD = (
    DefectType("W1", "broken end", "major", "line"),
    DefectType("W2", "missing pick", "major", "line"),
    DefectType("W3", "double pick", "minor", "line"),
    DefectType("W4", "starting mark", "major", "line"),
    DefectType("W5", "reed mark", "minor", "line"),
    DefectType("W6", "float", "major", "block"),
    DefectType("K1", "dropped stitch", "critical", "line"),
    DefectType("K2", "needle line", "major", "line"),
    DefectType("K3", "barré", "minor", "line"),
    DefectType("Y1", "slub", "minor", "line"),
    DefectType("Y2", "knot", "minor", "point"),
    DefectType("Y3", "foreign fibre", "minor", "point"),
    DefectType("G1", "hole", "critical", "block"),
    DefectType("G2", "stain", "major", "block"),
    DefectType("G3", "crease", "minor", "line"),
)
"""Usual faults of weaving (W), knitting (K), yarn (Y) and of cloth in general (G)."""

_TYPES = TypeAdapter(tuple[DefectType, ...])


def load_defect_types(path: Path) -> tuple[tuple[DefectType, ...], str | None]:
    """The types of a file and, where it could not be used, a sentence about it.

    A file that is missing or cannot be used gives the standard list.
    """
    if not path.exists():
        return STANDARD, None
    try:
        types = read_json(path, tuple[DefectType, ...])
        check_codes(types)
    except OSError as error:
        return (
            STANDARD,
            f"The defect types {path} cannot be read ({error.strerror or error}); the standard ones are used.",
        )
    except (ContentError, DefectTypesError) as error:
        return STANDARD, f"The defect types {path} are not valid ({error}); the standard ones are used."
    return types, None


def save_defect_types(types: Sequence[DefectType], path: Path) -> None:
    """Keeps the types; the file is the old one or the new one, whole.

    Raises:
        DefectTypesError: two types have one code, or the file cannot be written.
    """
    check_codes(types)
    try:
        write_atomically(path, _TYPES.dump_json(tuple(types), indent=1) + b"\n")
    except OSError as error:
        raise DefectTypesError(
            "defect-types-unwritable", "The defect types {path} cannot be written: {reason}", path=path, reason=error
        ) from error


def check_codes(types: Sequence[DefectType]) -> None:
    """Raises DefectTypesError when two types have one code."""
    twice = [code for code, n in Counter(t.code for t in types).items() if n > 1]
    if twice:
        raise DefectTypesError(
            "defect-type-codes-doubled", "there are several types with the code {codes}", codes=twice
        )
