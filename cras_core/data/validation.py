"""A look at every picture and every mask before hours of work begin: what cannot be used is said at once, all of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from cras_core.data.folders import listed
from cras_core.data.values import GREY_ABOVE, NormalImages, Strip, TestImage
from cras_core.errors import DataError, UnreadableError
from cras_core.images import image_size, read_bits, read_image

OnPicture = Callable[[Path, int, int], None]

T = TypeVar("T", TestImage, Strip)


@dataclass(frozen=True, slots=True)
class Condition:
    """What a look at pictures to judge by has found.

    Attributes:
        unreadable: why pictures were left out: they or their masks cannot be read.
        masks: number of masks.
        grey: masks with grey levels between 0 and 255.
        empty: masks without a defective pixel.
    """

    unreadable: tuple[str, ...]
    masks: int
    grey: tuple[Path, ...]
    empty: tuple[Path, ...]


def validate_normal_images(
    data: Sequence[NormalImages], *, skip_corrupt: bool = False, on_picture: OnPicture = lambda *_: None
) -> list[NormalImages]:
    """Normal pictures without those that cannot be read, which are in ``skipped``.

    Args:
        data: normal pictures of each fabric.
        skip_corrupt: leave out what cannot be read.
        on_picture: told after each how many are done, of how many.

    Raises:
        DataError: pictures cannot be read and are not to be left out, or a fabric has no other; all are named. Or those
            of a fabric are not alike (``check_alike``).
    """
    every = [path for normal in data for path in normal.paths]
    broken: dict[Path, str] = {}
    for done, path in enumerate(every, start=1):
        try:
            read_image(path)
        except UnreadableError as error:
            broken[path] = str(error)
        on_picture(path, done, len(every))
    _refuse(broken, skip_corrupt)
    sound = []
    for normal in data:
        skipped = tuple(p for p in normal.paths if p in broken)
        if len(skipped) == len(normal.paths):
            raise DataError(f"fabric {normal.fabric}: none of its {len(skipped)} pictures can be read")
        paths = tuple(p for p in normal.paths if p not in broken)
        sound.append(replace(normal.only(paths), skipped=normal.skipped + skipped))
        check_alike(sound[-1])
    return sound


_LEAST_RANGE = 4  # grey levels between the darkest and the brightest pixel of anything at all
_MOST_ALIKE = 2.0  # times a picture may be as wide, or as high, as another of its fabric


def check_alike(normal: NormalImages) -> None:
    """Pictures of one fabric come from one camera: none is much larger than another, all have 8 bits or all more, and
    each shows something. Strips may be of any length.

    Raises:
        DataError: they do not; the two that differ most are named. Or one cannot be read.
    """
    for path in normal.paths:
        picture = read_image(path)
        if int(picture.max()) - int(picture.min()) < _LEAST_RANGE:
            raise DataError(
                f"{path} shows no cloth: all of it has the grey level {int(picture.max())}. Was the lamp off, or the "
                "camera saturated?"
            )
    is_deep = {path: read_bits(path) is not None for path in normal.paths}
    if len(set(is_deep.values())) > 1:
        deep, shallow = (next(p for p, d in is_deep.items() if d is wanted) for wanted in (True, False))
        raise DataError(
            f"fabric {normal.fabric}: {deep.name} has 16 bits, {shallow.name} has 8. Their grey levels mean different "
            "things; save all pictures of a fabric alike"
        )
    sizes = {path: size for path in normal.paths if (size := image_size(path)) is not None}
    for side in (1,) if normal.are_strips else (0, 1):
        by_size = sorted(sizes, key=lambda path, side=side: sizes[path][side])  # type: ignore[misc]
        if by_size and sizes[by_size[-1]][side] > _MOST_ALIKE * sizes[by_size[0]][side]:
            both = " and ".join(f"{p.name} is {sizes[p][1]} x {sizes[p][0]} px" for p in (by_size[-1], by_size[0]))
            raise DataError(
                f"fabric {normal.fabric}: {both}. Pictures of one fabric must show it at one scale; leave out those "
                "that do not"
            )


def validate_test_images(
    data: Mapping[str, Sequence[T]], *, skip_corrupt: bool = False, on_picture: OnPicture = lambda *_: None
) -> tuple[dict[str, list[T]], Condition]:
    """Pictures to judge by without those that cannot be read, and the condition of their masks.

    Args:
        data: pictures or strips of each fabric.
        skip_corrupt: leave out what cannot be read; a mask that is missing or of another size is never left out.
        on_picture: told after each how many are done, of how many.

    Returns:
        The pictures, of a fabric perhaps none, and their condition.

    Raises:
        DataError: pictures or masks cannot be used; all are named.
    """
    every = [image for images in data.values() for image in images]
    broken: dict[Path, str] = {}
    wrong, grey, empty, masks = [], [], [], 0
    for done, image in enumerate(every, start=1):
        try:
            found = _look_at(image)
            masks += not image.is_good
            grey += [image.path] * found.is_grey
            empty += [image.path] * found.is_empty
        except UnreadableError as error:
            broken[image.path] = str(error)
        except DataError as error:
            wrong.append(str(error))
        on_picture(image.path, done, len(every))
    if wrong:
        raise DataError(listed(wrong))
    _refuse(broken, skip_corrupt)
    sound = {name: [i for i in images if i.path not in broken] for name, images in data.items()}
    return sound, Condition(tuple(broken.values()), masks, tuple(grey), tuple(empty))


@dataclass(frozen=True, slots=True)
class _Look:
    is_grey: bool
    is_empty: bool


def _look_at(image: TestImage | Strip) -> _Look:
    """Raises UnreadableError, or DataError when the mask does not fit."""
    height, width = read_image(image.path).shape[:2]
    if image.is_good:
        return _Look(is_grey=False, is_empty=False)
    if image.mask is None:
        image.read_mask(height, width)  # says where it should be
        raise AssertionError("a defective picture without a mask was taken")
    grey = image.mask.read_grey(image.path, height, width)
    brightest = int(grey.max(initial=0))
    if 0 < brightest <= image.mask.above:
        raise DataError(
            f"{image.mask.paths[0]}: its brightest grey level is {brightest}, and defective is what is above "
            f"{image.mask.above}: nothing would be left of it. Save it with 0 and 255."
        )
    has_between = image.mask.above == GREY_ABOVE and bool(((grey > 0) & (grey < 255)).any())
    return _Look(is_grey=has_between, is_empty=brightest == 0)


def _refuse(broken: Mapping[Path, str], skip_corrupt: bool) -> None:
    if broken and not skip_corrupt:
        number = "one picture cannot" if len(broken) == 1 else f"{len(broken)} pictures cannot"
        raise DataError(
            f"{number} be read; mend or remove them, or leave them out with --skip-corrupt:\n"
            f"{listed(list(broken.values()))}"
        )
