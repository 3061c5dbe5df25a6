"""Which pictures beside the records are kept: by age, by size, and by what a person has said. Records always are."""

from __future__ import annotations

import enum
import logging
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, select

from aoi_app.records.database import read_session
from aoi_app.records.errors import RecordsError
from aoi_app.records.reviews import read_reviews
from aoi_app.records.tables import RollRow
from aoi_app.records.tile_places import PLACES
from aoi_app.settings.settings import Pictures

logger = logging.getLogger(__name__)

_DAY_S = 86_400.0
_NEVER_BY_AGE = 5  # the latest rolls: a clock that is set wrong for an hour must not cost all pictures
_OF_DEFECT = re.compile(r"-defect-(\d+)-\d+(?:_mask)?$")


class Worth(enum.IntEnum):
    """What a picture is worth, the least first: where room is needed, they go in this order."""

    UNREVIEWED = 0
    REJECTED = 1
    CONFIRMED = 2


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """A picture of a roll.

    Attributes:
        path: of its file.
        size: bytes.
        written_s: time.time of its writing.
        roll_id: of its roll; 0 where the records do not know it.
        worth: by the verdict on its defect; tiles of good cloth count as unreviewed.
    """

    path: Path
    size: int
    written_s: float
    roll_id: int
    worth: Worth


def pictures_to_remove(
    pictures: Iterable[StoredPicture], rules: Pictures, *, now_s: float, free: int, running: int = 0
) -> list[StoredPicture]:
    """The pictures that go, those that are worth least and are oldest first.

    Args:
        pictures: all there are.
        rules: how long and how many are kept.
        now_s: time.time.
        free: bytes free on their disk.
        running: number of the roll that runs; its pictures stay.
    """
    stored = sorted((p for p in pictures if p.roll_id != running or not running), key=_first_to_go)
    latest = set(sorted({p.roll_id for p in stored})[-_NEVER_BY_AGE:])
    total = sum(picture.size for picture in stored)
    excess = max(total - rules.most_gb * 1e9, rules.free_gb * 1e9 - free)
    gone, freed = [], 0
    for picture in stored:
        days = rules.reviewed_days if picture.worth is Worth.CONFIRMED else rules.unreviewed_days
        is_old = picture.roll_id not in latest and now_s - picture.written_s > days * _DAY_S
        if is_old or freed < excess:
            gone.append(picture)
            freed += picture.size
    return gone


def stored_pictures(engine: Engine, folder: Path) -> list[StoredPicture]:
    """The pictures of all rolls. What cannot be read is passed over.

    Args:
        engine: the records, which know the verdicts.
        folder: with a folder for each roll.

    Raises:
        RecordsError: the records cannot be read.
    """
    with read_session(engine) as session:
        rows = session.execute(select(RollRow.id, RollRow.tiles).where(RollRow.tiles.is_not(None)))
        rolls = {tiles: roll_id for roll_id, tiles in rows}
    found: list[StoredPicture] = []
    for of_roll in sorted(path for path in folder.glob("*") if path.is_dir()):
        roll_id = rolls.get(str(of_roll.resolve()), 0)
        reviews = read_reviews(engine, roll_id) if roll_id else {}
        verdicts = {number: review.verdict for number, review in reviews.items()}
        found += [_stored(path, roll_id, verdicts) for path in of_roll.rglob("*.png") if path.is_file()]
    return found


def keep_pictures(engine: Engine, folder: Path, rules: Pictures, *, now_s: float, running: int = 0) -> int:
    """Removes what the rules do not keep, and empty folders; returns how many pictures went.

    Args:
        engine: the records; nothing in them changes.
        folder: with a folder for each roll.
        rules: how long and how many are kept.
        now_s: time.time.
        running: number of the roll that runs; its pictures stay.

    Raises:
        RecordsError: the records or the folder cannot be read.
    """
    try:
        free = shutil.disk_usage(folder).free
    except FileNotFoundError:  # no roll has written one yet
        return 0
    except OSError as error:
        raise RecordsError(
            "pictures-folder-unreadable", "{folder} cannot be read: {reason}.", folder=folder, reason=error
        ) from error
    gone = pictures_to_remove(stored_pictures(engine, folder), rules, now_s=now_s, free=free, running=running)
    for picture in gone:
        try:
            picture.path.unlink(missing_ok=True)
        except OSError as error:
            logger.warning("%s is not removed: %s", picture.path, error)
    _remove_empty(folder, {picture.path.parent for picture in gone})
    if gone:
        logger.info("%d pictures of rolls were removed, as the settings say", len(gone))
    return len(gone)


def _first_to_go(picture: StoredPicture) -> tuple[int, int, float]:
    # By the number of the roll before the time: a clock may have been set back between two rolls.
    return picture.worth, picture.roll_id, picture.written_s


def _stored(path: Path, roll_id: int, verdicts: Mapping[int, str | None]) -> StoredPicture:
    told = path.stat()
    match = _OF_DEFECT.search(path.stem)
    verdict = verdicts.get(int(match.group(1))) if match is not None else None
    worth = {"confirmed": Worth.CONFIRMED, "rejected": Worth.REJECTED}.get(verdict or "", Worth.UNREVIEWED)
    return StoredPicture(path, told.st_size, told.st_mtime, roll_id, worth)


def _remove_empty(top: Path, folders: Iterable[Path]) -> None:
    """Folders that hold nothing any more, up to those of the rolls."""
    for folder in sorted(folders, key=lambda path: -len(path.parts)):
        for place in (folder, *folder.parents):
            if place == top or not place.is_relative_to(top) or not _is_empty(place):
                break
            try:
                (place / PLACES).unlink(missing_ok=True)
                place.rmdir()
            except OSError:  # somebody has written into it just now
                break


def _is_empty(folder: Path) -> bool:
    """A list of places of tiles that are gone is nothing either."""
    return folder.is_dir() and all(path.name == PLACES for path in folder.iterdir())
