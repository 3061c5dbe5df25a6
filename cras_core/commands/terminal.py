"""What the commands share: options, progress, tables, files of figures."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from cras_core.errors import CrasError

console = Console(stderr=True)

Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")]
Precision = Annotated[str, typer.Option(help="What the backbone computes in: float32, bfloat16 or float16.")]
DataName = Annotated[
    str | None,
    typer.Option("--dataset", help="mvtec, visa, mpdd, itdd, aitex or folders; recognised where it is not given."),
]
SkipCorrupt = Annotated[
    bool, typer.Option("--skip-corrupt", help="Leave out pictures that cannot be read, and name them.")
]
Bits = Annotated[
    int | None,
    typer.Option(
        help="Bits that pictures of more than 8 really use; else those of the model, or measured.", min=9, max=16
    ),
]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Write the figures here as well.")]


def progress_bar(*, transient: bool = False) -> Progress:
    """How far a command is, with a message per task; ``transient`` goes when it is done."""
    columns = (
        TextColumn("{task.description:<12}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[message]}", markup=False),
    )
    hidden = transient and not console.is_terminal  # nothing can be taken back from a file
    return Progress(*columns, console=console, transient=transient, disable=hidden)


def show_table(table: Table) -> None:
    """Prints a table, whole also where it goes to a file."""
    screen = Console()
    (screen if screen.is_terminal else Console(width=max(160, screen.width))).print(table)


def remark(lines: list[str]) -> None:
    """Prints what a person should know, a line each."""
    for line in lines:
        console.print(f"[yellow]{escape(line)}[/yellow]", soft_wrap=True)


def check_place(path: Path) -> None:
    """Finds out before hours of work whether a file can be written. Raises CrasError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise CrasError(
            "file-unwritable-elsewhere",
            "{path} cannot be written: {reason}. Choose another place.",
            path=path,
            reason=error,
        ) from error
    if path.is_dir():
        raise CrasError("file-is-folder", "{path} is a folder; name a file.", path=path)
