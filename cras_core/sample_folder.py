"""A folder of pictures as samples of good cloth."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

from cras_core.data import contents, listed
from cras_core.errors import DataError
from cras_core.images import list_images, read_bits, read_image
from cras_core.sample_store import FabricRecord, Sample, SampleStore, safe_id

LONGEST_PX = 4096  # what is longer is a strip of web, and a sample is a tile


def add_folder(
    store: SampleStore,
    fabric: str,
    folder: Path,
    web: str | None = None,
    mm_per_px: float = 0.2,
    on_picture: Callable[[Path, int, int], None] = lambda *_: None,
) -> list[Sample]:
    """Adds every picture of a folder as one sample of good cloth; the fabric is begun where there is none.

    Args:
        store: takes them.
        fabric: whose samples they are.
        folder: pictures, each a tile.
        web: roll that all were cut from; None makes each a web of its own.
        mm_per_px: their scale.
        on_picture: told after each how many are done, of how many.

    Raises:
        DataError: the folder has no pictures, some cannot be read or are no tiles (all are named, nothing is added), or
            the disk cannot be written; what was added until then is kept.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; name one with pictures of good cloth")
    paths = list_images(folder)
    if not paths:
        raise DataError(f"{folder} holds no pictures; in it are: {contents(folder)}")
    problems = []
    for path in paths:
        try:
            height, width = read_image(path).shape[:2]
        except DataError as error:
            problems.append(str(error))
            continue
        if max(height, width) > LONGEST_PX:
            problems.append(f"{path} is {width} x {height} px: a strip of web, not a tile. Cut it first")
    if problems:
        raise DataError("Nothing was added:\n" + listed(problems))
    bits = read_bits(paths[0])
    if all(f.name != fabric for f in store.fabrics()):
        store.begin(FabricRecord(fabric, created_at=_now()))
    added = []
    for done, path in enumerate(paths, start=1):
        image = read_image(path, bits)
        added.append(
            store.add(
                Sample(
                    safe_id(*([web] if web else []), path.stem),
                    fabric,
                    "file",
                    web or path.stem,
                    mm_per_px=mm_per_px,
                    mm_per_line=mm_per_px,
                    brightness=round(float(image.mean()), 2),
                    taken_at=_now(),
                ),
                image,
            )
        )
        on_picture(path, done, len(paths))
    return added


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
