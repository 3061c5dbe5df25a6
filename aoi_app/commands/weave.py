"""The command that writes cloth from the loom."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from aoi_app.commands.options import MOST, console


def weave(
    out: Annotated[Path, typer.Argument(help="Folder for <weave>/normal, <weave>/defect and <weave>/mask.")],
    strips: Annotated[int, typer.Option(help="Strips of each kind and weave.", min=1, max=100_000)] = 12,
    lines: Annotated[int, typer.Option(help="Lines of a strip.", min=64, max=100_000)] = 512,
    width_px: Annotated[int, typer.Option(help="Pixels of a line.", min=512, max=65_536)] = 1536,
    seed: Annotated[int, typer.Option(help="Everything random follows from it.", min=0, max=MOST)] = 100,
) -> None:
    """Write cloth from the built-in loom as a data set, to try training without cloth of your own."""
    from aoi_app.sources.loom_data import write_data_set

    write_data_set(out, strips, lines, width_px, seed)
    console.print(escape(f"{out}: train on it with  cras train {out} --out loom.cras"))
