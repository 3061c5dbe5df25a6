"""The command that writes a trained detector for other runtimes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cras_core.commands.terminal import Bits, check_place, console, show_table
from cras_core.engines.extras import check_onnx
from cras_core.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cras_core.engines.parity import Difference

_TRIAL_TILES = 4
_CLOTH_TILES = 8


def export(
    bundle: Annotated[Path, typer.Argument(help="A bundle.")],
    out: Annotated[Path, typer.Option(help="The ONNX file to write.")] = Path("model.onnx"),
    tile_px: Annotated[
        str | None, typer.Option(help="Side of the tiles, or HEIGHTxWIDTH; the tile of the line where it is not given.")
    ] = None,
    cloth: Annotated[
        Path | None, typer.Option(help="Folder of pictures of cloth to compare on as well, beside random tiles.")
    ] = None,
    bits: Bits = None,
) -> None:
    """Write a detector as ONNX, after onnxruntime has judged the same tiles as the detector does."""
    check_onnx()
    check_place(out)
    size = None if tile_px is None else _size_of(tile_px)
    from cras_core.engines.onnx_export import cloth_tiles, random_tiles, to_onnx, write
    from cras_core.engines.parity import TOLERANCE, prove
    from cras_core.loading import load_detector

    detector = load_detector(bundle, "cpu")
    side = detector.config.tiling.tile_px
    size = size or (side, side)
    tiles = random_tiles(size, max(_TRIAL_TILES, len(detector.fabrics)))
    if cloth is not None:
        import numpy as np

        tiles = np.concatenate([tiles, cloth_tiles(cloth, size, _CLOTH_TILES, bits or detector.bits)])
    started = time.perf_counter()
    model = to_onnx(detector, size)
    seconds = time.perf_counter() - started
    differences = prove(model, detector, tiles)
    write(model, out)
    _show(differences, TOLERANCE, f"on {len(tiles)} tiles of {size[1]} x {size[0]} px")
    console.print(
        escape(f"{out}: model {detector.identity}, {len(model) / 1e6:.1f} MB, exported in {seconds:.0f} s"),
        soft_wrap=True,
    )


def _show(differences: Mapping[str, Difference], tolerance: float, where: str) -> None:
    table = Table("output", "greatest difference", "relative", f"beyond {tolerance:g}")
    for name, d in differences.items():
        table.add_row(name, f"{d.absolute:.2g}", f"{d.relative:.2g}", f"{d.beyond:.3%}")
    table.caption = f"onnxruntime beside the detector {where}"
    show_table(table)


def _size_of(text: str) -> tuple[int, int]:
    """``512`` or ``256x512`` -> (H, W). Raises ExportError."""
    parts = text.lower().split("x")
    if len(parts) > 2 or not all(p.isdecimal() and 32 <= int(p) <= 8192 for p in parts):
        raise ExportError(
            "tile-px-option-malformed",
            "--tile-px takes a side or HEIGHTxWIDTH in 32..8192 px, as 512 or 256x512, not {text!r}.",
            text=text,
        )
    return int(parts[0]), int(parts[-1])
