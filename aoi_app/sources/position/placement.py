"""Which lines of a block are new cloth, and what is missing around them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]

_STRAIGHT_LINES = 16  # blocks of fewer lines are placed line by line
_MOST_HOLES = 3  # a block with more of them shows stripes of cloth, not cloth


@dataclass(frozen=True, slots=True)
class Missing:
    """Lines of web that no block shows.

    Attributes:
        lines: how many; 0 where nobody knows.
        reason: for a person.
    """

    lines: int
    reason: str


@dataclass(frozen=True, slots=True)
class Kept:
    """Lines of a block that are new cloth.

    Attributes:
        rows: of the block, in order; a slice where they follow each other, so that nothing is copied.
    """

    rows: slice | Rows


Placement = tuple[Missing | Kept, ...]


@dataclass(frozen=True, slots=True)
class NewCloth:
    """What of a block is new.

    Attributes:
        placement: its new lines, and what is missing before and between them.
        end_line: line of the web that comes next.
        repeated_lines: lines that showed cloth seen before.
        lag_lines: by how many lines the encoder is ahead of ``end_line`` after a block that was taken as it is.
    """

    placement: Placement
    end_line: int
    repeated_lines: int
    lag_lines: int = 0


def new_cloth(at: Rows, end_line: int, slack_lines: int, cause: str, lag_lines: int = 0) -> NewCloth:
    """What of a block lies beyond everything seen so far, each line of web at most once and in order.

    Args:
        at: (n,) int64 web line of every line of the block.
        end_line: line of the web that comes next.
        slack_lines: holes of so many lines are filled with the next line, and a block that is nowhere further away
            from running straight on is taken as it is.
        cause: of lines that are missing before the block; empty where none is known.
        lag_lines: of the block before. What it was not given counts as slack here, else the two slacks of
            neighbouring blocks would add up to a hole that nobody has seen.
    """
    straight = end_line + np.arange(len(at))  # (n,) where the lines would lie if the web ran evenly
    if len(at) >= _STRAIGHT_LINES and int(np.abs(at - straight).max()) <= slack_lines:
        end_line += len(at)
        return NewCloth((Kept(slice(0, len(at))),), end_line, 0, max(0, int(at[-1]) + 1 - end_line))
    # Cloth that comes by again has a line number that is taken: only what lies beyond the furthest is new.
    furthest = np.maximum(np.maximum.accumulate(at), end_line - 1)
    steps = np.diff(furthest, prepend=end_line - 1)
    new = np.flatnonzero(steps)
    pieces = _pieces(new, steps[new], slack_lines, cause, len(at), lag_lines)
    return NewCloth(pieces, int(furthest[-1]) + 1, len(at) - len(new))


def _pieces(rows: Rows, steps: Rows, slack_lines: int, cause: str, lines: int, lag_lines: int) -> Placement:
    """New rows, each with the lines from the one before it: small holes are filled, large ones are missing."""
    is_hole = steps - 1 - lag_lines * (rows == 0) > slack_lines
    holes = np.flatnonzero(is_hole)
    # The web runs faster than the camera takes lines: between every two of them cloth is missing.
    if len(holes) > _MOST_HOLES:
        too_fast = f"the web ran {steps.sum() / lines:.1f} lines per line of the camera; raise its line rate"
        return (Missing(int(steps.sum()), cause or too_fast),)
    pieces: list[Missing | Kept] = []
    for part in np.split(np.arange(len(rows)), holes):
        if len(part) == 0:
            continue
        repeats = steps[part]
        if is_hole[part[0]]:
            jumped = "the encoder went on without lines from the camera; check its trigger, cable and line rate"
            pieces.append(Missing(int(repeats[0]) - 1, (cause if rows[part[0]] == 0 else "") or jumped))
            repeats = np.concatenate([[1], repeats[1:]])
        pieces.append(Kept(_as_slice(np.repeat(rows[part], repeats))))
    return tuple(pieces)


def shift_piece(piece: Missing | Kept, by: int) -> Missing | Kept:
    """A piece of a part of a block as one of the block."""
    if isinstance(piece, Missing) or by == 0:
        return piece
    rows = piece.rows
    return Kept(slice(rows.start + by, rows.stop + by) if isinstance(rows, slice) else rows + by)


def _as_slice(rows: Rows) -> slice | Rows:
    """Rows that follow each other as a slice."""
    first, last = int(rows[0]), int(rows[-1])
    return slice(first, last + 1) if (np.diff(rows) == 1).all() else rows
