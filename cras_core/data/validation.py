"""A look at every picture and every mask before hours of work begin: what cannot be used is said at once, all of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from cras_core.data.masks import GREY_ABOVE
from cras_core.data.values import NormalImages, Strip, TestImage
from cras_core.errors import DataError, UnreadableError
from cras_core.image_file import read_file
from cras_core.images import bits_of, check_depth, measured_bits

OnPicture = Callable[[Path, int, int], None]

T = TypeVar("T", TestImage, Strip)


@dataclass(frozen=True, slots=True)
class Condition:
    """What a look at pictures to judge by has found.

    Attributes:
        unreadable: why pictures were left out: they or their masks cannot be read.
        masks: number of masks.
        grey: masks with grey levels between 0 and 255.
        empty: pictures whose masks have no defective pixel.
        mostly: pictures that are defective on more than half, as where a mask is inverted.
        bits: depth to read them with; None where all have 8 bits.
    """

    unreadable: tuple[str, ...]
    masks: int
    grey: tuple[Path, ...]
    empty: tuple[Path, ...]
    mostly: tuple[Path, ...] = ()
    bits: int | None = None


def validate_normal_images(
    data: Sequence[NormalImages],
    *,
    skip_corrupt: bool = False,
    bits: int | None = None,
    on_picture: OnPicture = lambda *_: None,
) -> list[NormalImages]:
    """Normal pictures without those that cannot be read, which are in ``skipped``, and with the depth of all of them.

    Args:
        data: normal pictures of each fabric.
        skip_corrupt: leave out what cannot be read.
        bits: depth of pictures with more than 8 bits; None measures it over all of them.
        on_picture: told after each how many are done, of how many.

    Raises:
        DataError: pictures cannot be read and are not to be left out, or a fabric has no other; pictures of a fabric
            show nothing, or are not alike (``_check_alike``). All are named, or the two that differ most.
    """
    every = [path for normal in data for path in normal.paths]
    broken: dict[Path, UnreadableError] = {}
    seen: dict[Path, _Seen] = {}
    for done, path in enumerate(every, start=1):
        try:
            seen[path] = _see(path, bits)
        except UnreadableError as error:
            broken[path] = error
        on_picture(path, done, len(every))
    _refuse(broken, skip_corrupt)
    deep = [s.bits for s in seen.values() if s.bits is not None]
    depth = (bits or max(deep)) if deep else None
    sound = []
    for normal in data:
        skipped = tuple(p for p in normal.paths if p in broken)
        if len(skipped) == len(normal.paths):
            raise DataError(
                "no-readable-picture",
                "fabric {fabric}: none of its {count} pictures can be read",
                fabric=normal.fabric,
                count=len(skipped),
            )
        paths = tuple(p for p in normal.paths if p not in broken)
        _check_alike(normal, {path: seen[path] for path in paths})
        sound.append(replace(normal.only(paths), skipped=normal.skipped + skipped, bits=depth))
    return sound


def with_depth(data: Sequence[NormalImages], bits: int | None = None) -> list[NormalImages]:
    """Normal pictures with the depth that all of them are read with: the one that was measured already, else the one
    that is given, else the one that is measured now. Decodes no picture of 8 bits.
    """
    known = [normal.bits for normal in data if normal.bits is not None]
    depth = known[0] if known else bits or measured_bits(path for normal in data for path in normal.paths)
    return [replace(normal, bits=depth) for normal in data]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is kept of a picture.

    Attributes:
        height, width: pixels.
        bits: depth that it seems to have; None of 8 bits.
        is_colour: its channels differ.
        darkest, brightest, mean: of its values.
    """

    height: int
    width: int
    bits: int | None
    is_colour: bool
    darkest: int
    brightest: int
    mean: float


def _see(path: Path, bits: int | None) -> _Seen:
    """Raises UnreadableError, DataError."""
    pixels = read_file(path).pixels
    is_colour = pixels.ndim == 3 and bool((pixels != pixels[..., :1]).any())
    seen = _Seen(
        pixels.shape[0],
        pixels.shape[1],
        bits_of(pixels) if pixels.dtype != np.uint8 else None,
        is_colour,
        int(pixels.min()),
        int(pixels.max()),
        float(pixels.mean()),
    )
    if pixels.dtype != np.uint8 and bits is not None:
        check_depth(pixels, path, bits)
    return seen


_LEAST_RANGE = 4  # grey levels between the darkest and the brightest pixel of anything at all
_MOST_ALIKE = 2.0  # times a picture may be as wide, or as high, as another of its fabric
_AS_BRIGHT = 4.0  # times a picture may be as bright, or as dark, as most of its fabric: more than a lamp that ages


def _check_alike(normal: NormalImages, seen: Mapping[Path, _Seen]) -> None:
    """Pictures of one fabric come from one camera: none is much larger, brighter or darker than the others, all have 8
    bits or all more, all have colours or none, and each shows something. Strips may be of any length. Raises DataError.
    """
    for path, picture in seen.items():
        if picture.brightest - picture.darkest < _LEAST_RANGE:
            raise DataError(
                "picture-without-cloth",
                "{path} shows no cloth: all of it has the grey level {level}. Was the lamp off, or the camera "
                "saturated?",
                path=path,
                level=picture.brightest,
            )
    _check_kind(normal, {path: picture.bits is not None for path, picture in seen.items()}, ("16 bits", "8"))
    _check_kind(normal, {path: picture.is_colour for path, picture in seen.items()}, ("colours", "none"))
    typical = float(np.median([picture.mean for picture in seen.values()]))
    for path, picture in seen.items():
        if not typical / _AS_BRIGHT <= picture.mean <= typical * _AS_BRIGHT:
            raise DataError(
                "picture-of-other-brightness",
                "fabric {fabric}: {picture} has a mean grey level of {mean:.0f}, most pictures of it one of "
                "{typical:.0f}. Was the lamp or the camera another? Leave out pictures that are not alike",
                fabric=normal.fabric,
                picture=path.name,
                mean=picture.mean,
                typical=typical,
            )
    for side in ("width",) if normal.are_strips else ("height", "width"):
        least, most = (pick(seen, key=lambda path: getattr(seen[path], side)) for pick in (min, max))
        if getattr(seen[most], side) > _MOST_ALIKE * getattr(seen[least], side):
            raise DataError(
                "pictures-of-other-size",
                "fabric {fabric}: {large} is {large_px: x } px and {small} is {small_px: x } px. Pictures of one "
                "fabric must show it at one scale; leave out those that do not",
                fabric=normal.fabric,
                large=most.name,
                large_px=(seen[most].width, seen[most].height),
                small=least.name,
                small_px=(seen[least].width, seen[least].height),
            )


def _check_kind(normal: NormalImages, has: Mapping[Path, bool], what: tuple[str, str]) -> None:
    """Raises DataError where some pictures have a thing and some have not."""
    if len(set(has.values())) > 1:
        one, other = (next(path for path, value in has.items() if value is wanted) for wanted in (True, False))
        raise DataError(
            "pictures-differ-in-kind",
            "fabric {fabric}: {one} has {has}, {other} has {other_has}. Their grey levels mean different things; save "
            "all pictures of a fabric alike",
            fabric=normal.fabric,
            one=one.name,
            has=what[0],
            other=other.name,
            other_has=what[1],
        )


def validate_test_images(
    data: Mapping[str, Sequence[T]],
    *,
    skip_corrupt: bool = False,
    bits: int | None = None,
    on_picture: OnPicture = lambda *_: None,
) -> tuple[dict[str, list[T]], Condition]:
    """Pictures to judge by without those that cannot be read, and the condition of their masks.

    Args:
        data: pictures or strips of each fabric.
        skip_corrupt: leave out what cannot be read; a mask that is missing or of another size is never left out.
        bits: depth of pictures with more than 8 bits, as the model has learnt it or a person has said; None measures it
            over all of them.
        on_picture: told after each how many are done, of how many.

    Returns:
        The pictures, of a fabric perhaps none, and their condition.

    Raises:
        DataError: pictures or masks cannot be used; all are named.
    """
    every = [image for images in data.values() for image in images]
    broken: dict[Path, UnreadableError] = {}
    wrong: list[DataError] = []
    looks: dict[Path, _Look] = {}
    for done, image in enumerate(every, start=1):
        try:
            looks[image.path] = _look_at(image, bits)
        except UnreadableError as error:
            broken[image.path] = error
        except DataError as error:
            wrong.append(error)
        on_picture(image.path, done, len(every))
    if wrong:
        raise DataError("test-pictures-wrong", "{problems:\n}", problems=wrong)
    _refuse(broken, skip_corrupt)
    sound = {name: [i for i in images if i.path not in broken] for name, images in data.items()}
    deep = [look.bits for look in looks.values() if look.bits is not None]
    return sound, Condition(
        tuple(map(str, broken.values())),
        masks=sum(not image.is_good for images in sound.values() for image in images),
        grey=tuple(path for path, look in looks.items() if look.is_grey),
        empty=tuple(path for path, look in looks.items() if look.is_empty),
        mostly=tuple(path for path, look in looks.items() if look.is_mostly),
        bits=(bits or max(deep)) if deep else None,
    )


@dataclass(frozen=True, slots=True)
class _Look:
    """What is kept of a picture and its mask.

    Attributes:
        bits: as in ``_Seen``.
        is_grey, is_empty, is_mostly: as in ``Condition``.
    """

    bits: int | None
    is_grey: bool = False
    is_empty: bool = False
    is_mostly: bool = False


_MOST_DEFECTIVE = 0.5  # share of a picture


def _look_at(image: TestImage | Strip, bits: int | None) -> _Look:
    """Raises UnreadableError, or DataError when the mask does not fit."""
    seen = _see(image.path, bits)
    if image.is_good:
        _check_good(image, seen)
        return _Look(seen.bits)
    if image.mask is None:
        image.read_mask(seen.height, seen.width)  # says where it should be
        raise AssertionError("a defective picture without a mask was taken")
    grey = image.mask.read_grey(image.path, seen.height, seen.width)
    defective = grey > image.mask.above
    has_between = image.mask.above == GREY_ABOVE and bool(((grey > 0) & (grey < 255)).any())
    return _Look(seen.bits, has_between, not defective.any(), float(defective.mean()) > _MOST_DEFECTIVE)


def _check_good(image: TestImage | Strip, seen: _Seen) -> None:
    """Raises DataError where a picture that is called good has a mask that says otherwise."""
    if image.mask is not None and (image.mask.read_grey(image.path, seen.height, seen.width) > image.mask.above).any():
        raise DataError(
            "good-picture-with-mask",
            "{path} is called good, and its mask {mask} marks a defect; mend one of both",
            path=image.path,
            mask=image.mask.paths[0],
        )


def _refuse(broken: Mapping[Path, UnreadableError], skip_corrupt: bool) -> None:
    if broken and not skip_corrupt:
        errors = list(broken.values())
        if len(errors) == 1:
            raise DataError(
                "picture-unreadable",
                "one picture cannot be read; mend it or remove it:\n{problem}",
                hint="Or leave it out: --skip-corrupt",
                problem=errors[0],
            )
        raise DataError(
            "pictures-unreadable",
            "{count} pictures cannot be read; mend or remove them:\n{problems:\n}",
            hint="Or leave them out: --skip-corrupt",
            count=len(errors),
            problems=errors,
        )
