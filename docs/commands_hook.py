"""Fills the page of commands with the help texts of the programs."""

from __future__ import annotations

from typing import Any

import click
import typer
from typer.cli import get_docs_for_click

from aoi_app.__main__ import app as aoi
from cras_core.__main__ import app as cras


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Called by mkdocs for every page."""
    for name, program in (("aoi", aoi), ("cras", cras)):
        mark = f"<!-- commands of {name} -->"
        if mark in markdown:
            markdown = markdown.replace(mark, _commands(name, program))
    return markdown


def _commands(name: str, program: typer.Typer) -> str:
    """The whole program as markdown; its own heading is one level below the page's."""
    command = typer.main.get_command(program)
    context = click.Context(command, info_name=name)
    text = get_docs_for_click(obj=command, ctx=context, name=name)
    return text.replace("\n#", "\n##").replace("# `", "## `", 1)
