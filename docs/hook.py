"""What mkdocs does to the pages: commands from the programs' help texts, and files that lie beside ``docs``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import typer
from typer.cli import get_docs_for_click

from aoi_app.command_line import app as aoi
from cras_core.__main__ import app as cras

_TOP = Path(__file__).parents[1]
_PLACES = {"ARCHITECTURE.md": "architecture.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Called by mkdocs for every page."""
    markdown = re.sub(r"<!-- file (\S+) -->", lambda found: _file(found[1]), markdown)
    for name, program in (("aoi", aoi), ("cras", cras)):
        mark = f"<!-- commands of {name} -->"
        if mark in markdown:
            markdown = markdown.replace(mark, _commands(name, program))
    return markdown


def _file(name: str) -> str:
    """A file of the top folder, with its links as they are seen from ``docs``."""
    text = (_TOP / name).read_text(encoding="utf-8")
    for target, place in _PLACES.items():
        text = text.replace(f"]({target}", f"]({place}")
    return text.replace("](docs/", "](")


def _commands(name: str, program: typer.Typer) -> str:
    """The whole program as markdown; its own heading is one level below the page's."""
    command = typer.main.get_command(program)
    context = click.Context(command, info_name=name)
    text = get_docs_for_click(obj=command, ctx=context, name=name)
    return text.replace("\n#", "\n##").replace("# `", "## `", 1)
