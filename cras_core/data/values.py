"""What a data set holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cras_core.data.masks import GREY_ABOVE, read_levels
from cras_core.errors import DataError
from cras_core.images import image_size


@dataclass(frozen=True, slots=True)
class Piece:
    """How a picture was cut from a running web.

    Attributes:
        web: the unbroken cloth that it comes from; pictures of one web are never on both sides of a split.
        left_px, right_px: columns of the picture between which the web is inspected; None where the cloth runs on
            beyond the picture.
    """

    web: str
    left_px: float | None = None
    right_px: float | None = None

    def bounds(self, width_px: int) -> tuple[float, float]:
        """The same within a picture of this width."""
        left = 0.0 if self.left_px is None else min(max(0.0, self.left_px), float(width_px))
        right = float(width_px) if self.right_px is None else min(max(0.0, self.right_px), float(width_px))
        return left, right


@dataclass(frozen=True, slots=True)
class NormalImages:
    """Normal pictures of one fabric.

    Attributes:
        fabric: its name.
        paths: the pictures, in natural order.
        are_strips: pieces of web, to be cut into tiles; otherwise each picture is one tile.
        skipped: pictures that were left out because they cannot be read.
        pieces: how each picture was cut from a web, one for each; empty where nobody knows.
        bits: depth that pictures of more than 8 bits are read with, the same for all fabrics of a model; None where
            there are none, or before anybody has measured it (``validation``).
    """

    fabric: str
    paths: tuple[Path, ...]
    are_strips: bool
    skipped: tuple[Path, ...] = ()
    pieces: tuple[Piece, ...] = ()
    bits: int | None = None

    def held_back(self, share: float, seed: int) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
        """(train, held back): a fixed choice of pictures by seed. A single picture is in both.

        Whole webs are held back as far as their number allows: pictures of one web are too alike to learn from one and
        set limits by the other. Where that would leave too little or hold back more than half, pictures are chosen.
        """
        if len(self.paths) == 1:
            return self.paths, self.paths
        n = min(len(self.paths) - 1, max(1, round(share * len(self.paths))))
        order = np.random.default_rng(seed).permutation(len(self.paths)).tolist()
        chosen = self._whole_webs(order, n) or set(order[:n])
        return tuple(p for i, p in enumerate(self.paths) if i not in chosen), tuple(
            p for i, p in enumerate(self.paths) if i in chosen
        )

    def piece(self, path: Path) -> Piece | None:
        """How one of the pictures was cut; None where nobody knows."""
        return self.pieces[self.paths.index(path)] if self.pieces else None

    def only(self, paths: Sequence[Path]) -> NormalImages:
        """The same fabric with some of its pictures."""
        pieces = tuple(self.pieces[self.paths.index(p)] for p in paths) if self.pieces else ()
        return replace(self, paths=tuple(paths), pieces=pieces)

    def _whole_webs(self, order: Sequence[int], least: int) -> set[int]:
        """At least so many pictures, all that their webs have, in the order of their first pictures; none where these
        would be more than half.
        """
        chosen: set[int] = set()
        webs = [piece.web for piece in self.pieces]
        for i in order if len(set(webs)) > 1 else ():
            if len(chosen) >= least:
                break
            whole = {j for j, web in enumerate(webs) if web == webs[i]}
            if len(chosen | whole) <= max(least, len(self.paths) // 2):
                chosen |= whole
        return chosen if len(chosen) >= max(1, least // 2) else set()


@dataclass(frozen=True, slots=True)
class Mask:
    """Where a picture is defective, on disk.

    Attributes:
        paths: pictures as large as the one they belong to; a pixel is defective where one of them says so.
        above: grey level above which a pixel is defective; 0 for masks that hold labels.
    """

    paths: tuple[Path, ...]
    above: int = GREY_ABOVE

    def read_grey(self, picture: Path, height: int, width: int) -> npt.NDArray[np.uint8]:
        """(H, W) the brightest of all masks and channels. Raises DataError when one is of another size, or no mask."""
        grey = np.zeros((height, width), np.uint8)
        for path in self.paths:
            size = image_size(path)
            if size not in (None, (height, width)):
                raise DataError(
                    "mask-of-other-size",
                    "{path} is {mask_width} x {mask_height} px, its picture {picture} {width} x {height} px",
                    path=path,
                    mask_width=size[1],
                    mask_height=size[0],
                    picture=picture.name,
                    width=width,
                    height=height,
                )
            np.maximum(grey, read_levels(path, self.above), out=grey)
        return grey


@dataclass(frozen=True, slots=True)
class TestImage:
    """One picture to judge a model by."""

    __test__ = False

    path: Path
    fabric: str
    defect: str  # "good" or the name of the defect
    mask: Mask | None

    @property
    def is_good(self) -> bool:
        """Nothing on it is defective, whatever masks there are."""
        return self.defect == "good"

    def read_mask(self, height: int, width: int) -> npt.NDArray[np.bool_]:
        """(H, W) bool; all false for a good picture. Grey levels above half count as defective.

        Raises:
            DataError: the mask is missing or of another size.
        """
        if self.is_good:
            return np.zeros((height, width), np.bool_)
        if self.mask is None:
            raise DataError(
                "picture-without-mask",
                "{path}: no mask for it in ground_truth/{defect}, expected {name}_mask.png or {name}.png",
                path=self.path,
                defect=self.defect,
                name=self.path.stem,
            )
        return np.asarray(self.mask.read_grey(self.path, height, width) > self.mask.above)


@dataclass(frozen=True, slots=True)
class Strip:
    """A strip of web with defects.

    Attributes:
        path: the picture.
        fabric: its name.
        mask: where the defects are.
        unmarked: (left, top, right, bottom) in pixels of real defects that the mask leaves out; what is found there
            counts neither way.
    """

    path: Path
    fabric: str
    mask: Mask
    unmarked: tuple[tuple[int, int, int, int], ...] = ()

    @property
    def is_good(self) -> bool:
        """Strips to judge by are defective; which pixels are, the mask says."""
        return False

    def read_mask(self, height: int, width: int) -> npt.NDArray[np.bool_]:
        """(H, W) bool. Raises DataError when the mask is of another size."""
        return np.asarray(self.mask.read_grey(self.path, height, width) > self.mask.above)
