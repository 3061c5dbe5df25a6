"""The fault harness: hurts the program in every way that a mill may, and tells which promises held.

Run by hand, from the top of the sources; half an hour on a machine that does nothing else::

    python -m tests.faults --folder /tmp/faults
    python -m tests.faults --folder /tmp/faults --only kills --kills 50

Some tries need Linux, root, or the package ``faketime``; what cannot be tried is said.
"""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tests.faults.environment import KINDS
from tests.faults.kills import kill_all
from tests.faults.mill import make_mill
from tests.faults.promises import Book


def main(
    folder: Annotated[Path, typer.Option(help="For everything that is written; what is in it is deleted.")],
    kills: Annotated[int, typer.Option(min=0, help="In all.")] = 200,
    seed: Annotated[int, typer.Option(help="Of the moments.")] = 0,
    only: Annotated[str, typer.Option(help=f"Of: kills, {', '.join(KINDS)}; several with commas.")] = "",
) -> None:
    """Exit status 1 where a promise was broken."""
    console, book = Console(width=170), Book()
    wanted = [name for name in only.split(",") if name] or ["kills", *KINDS]
    begun_s = time.monotonic()

    def say(text: str) -> None:
        console.print(f"{(time.monotonic() - begun_s) / 60:5.1f} min  {text}", highlight=False, markup=False)

    folder = folder.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    mill = make_mill(folder / "mill")
    say("the mill is made")
    for name, hurt in KINDS.items():
        if name in wanted:
            said = hurt(mill, folder / name, book)
            say(f"{name}: {said or 'done'}")
    if "kills" in wanted:
        kill_all(mill, folder / "kills", kills, seed, book, say)
    console.print(book.table())
    sys.exit(0 if book.is_kept else 1)


if __name__ == "__main__":
    typer.run(main)
