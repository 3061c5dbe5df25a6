"""Every error of this program has a code and an English template with named values; a catalogue of another language can
rely on both.
"""

from __future__ import annotations

import ast
import builtins
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cras_core.errors import CrasError

TOP = Path(__file__).parents[1]

_BASE = CrasError.__name__
_MACHINERY = {
    "cras_core/errors.py",
    "cras_core/messages.py",
    "cras_core/validated.py",  # its codes follow from those of pydantic
}
_OF_THE_CLASS = {"hint", "fault", "in_use"}  # keywords that are no values


@dataclass(frozen=True)
class Site:
    """Where an error or a message is made."""

    where: str
    call: ast.Call

    @property
    def code(self) -> str | None:
        return _literal(self.call.args[0]) if self.call.args else None

    @property
    def template(self) -> str | None:
        return _literal(self.call.args[1]) if len(self.call.args) > 1 else None

    @property
    def hint(self) -> str | None:
        given = next((k.value for k in self.call.keywords if k.arg == "hint"), None)
        return _literal(given) if given is not None else ""

    @property
    def values(self) -> set[str]:
        return {str(k.arg) for k in self.call.keywords} - _OF_THE_CLASS


def _literal(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _trees() -> dict[str, ast.Module]:
    paths = [p for room in ("cras_core", "aoi_app") for p in sorted((TOP / room).rglob("*.py"))]
    return {p.relative_to(TOP).as_posix(): ast.parse(p.read_text(encoding="utf-8")) for p in paths}


def _errors_of(trees: dict[str, ast.Module]) -> set[str]:
    """Names of all classes below ``CrasError``."""
    classes = [n for tree in trees.values() for n in ast.walk(tree) if isinstance(n, ast.ClassDef)]
    bases = {c.name: {b.id for b in c.bases if isinstance(b, ast.Name)} for c in classes}
    found, before = {_BASE}, 0
    while len(found) > before:
        before = len(found)
        found |= {name for name, of in bases.items() if of & found}
    return found


def _sites(trees: dict[str, ast.Module]) -> Iterator[Site]:
    makes = {*_errors_of(trees), "Message"}
    functions = {n.name for tree in trees.values() for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
    classes = {n.name for tree in trees.values() for n in ast.walk(tree) if isinstance(n, ast.ClassDef)}
    for file, tree in trees.items():
        if file in _MACHINERY:
            continue
        imported = {a.asname or a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names}
        elsewhere = functions | (classes - makes) | set(dir(builtins)) | (imported - makes)
        raised = {id(n.exc) for n in ast.walk(tree) if isinstance(n, ast.Raise)}
        for call in (n for n in ast.walk(tree) if isinstance(n, ast.Call)):
            if not isinstance(call.func, ast.Name):
                continue
            name = call.func.id
            # The class may be in a variable; whatever is raised and is no function or other class is one of ours.
            if name in makes or (id(call) in raised and name not in elsewhere):
                yield Site(f"{file}:{call.lineno}", call)


@pytest.fixture(scope="module")
def sites() -> list[Site]:
    return list(_sites(_trees()))


def test_all_errors_are_looked_at(sites: list[Site]) -> None:
    assert len(sites) > 400


def test_codes_and_templates_stand_where_the_error_is_made(sites: list[Site]) -> None:
    wrong = [s.where for s in sites if None in (s.code, s.template, s.hint)]
    assert not wrong, "a code, a template and a hint are literals, so that they can be found and translated"


def test_codes_are_written_alike(sites: list[Site]) -> None:
    assert not [s.where for s in sites if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", s.code or "")]


def test_templates_and_values_fit_both_ways(sites: list[Site]) -> None:
    assert not [s.where for s in sites if _names(f"{s.template} {s.hint}") != s.values]


def _names(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def test_one_code_has_one_template(sites: list[Site]) -> None:
    first: dict[str | None, Site] = {}
    for site in sites:
        known = first.setdefault(site.code, site)
        assert (site.template, site.hint) == (known.template, known.hint), f"{site.where} and {known.where}"
