"""Flat fields on disk, one file a camera."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, Field
from safetensors import SafetensorError
from safetensors.numpy import load, save

from aoi_app.settings.strict_json import STRICT, TOLERANT, ContentError, parse_json, read_whole
from aoi_app.sources.flat_field.correction import CameraSetup, FlatField, FlatFieldError, problem_of_levels
from cras_core.files import write_atomically

FORMAT = "aoi-flat-field"
VERSION = 1
_MOST_BYTES = 16 << 20  # of the widest cameras it has less than one

_Text = Annotated[str, Field(max_length=200)]


class _Setup(BaseModel):
    """Of the camera, as the file has it."""

    model_config = STRICT

    camera: _Text
    exposure_us: Annotated[float, Field(ge=0)] | None = None
    gain: float | None = None


class _About(BaseModel):
    """What the file says beside the levels."""

    model_config = STRICT

    bits: Annotated[int, Field(ge=8, le=16)]
    target: Annotated[float, Field(gt=0, le=255)]
    lines: Annotated[int, Field(ge=1, lt=2**31)]
    recorded_at: _Text
    setup: _Setup


class _Metadata(BaseModel):
    """Of the file: which kind and version of file it is."""

    model_config = TOLERANT

    format: str = ""
    version: str = ""
    about: str = ""
    checksum: str = ""
    """Of levels and ``about``; files of version 0.1 have none."""


class _Head(BaseModel):
    """The JSON that a safetensors file begins with, without its tensors."""

    model_config = TOLERANT

    metadata: Annotated[_Metadata, Field(alias="__metadata__")] = _Metadata()


def flat_field_path(folder: Path, camera: str) -> Path:
    """Where the flat field of a camera is kept.

    Args:
        folder: of all flat fields.
        camera: its serial number.
    """
    return folder / f"camera-{quote(camera, safe='')}.safetensors"


def write_flat_field(flat: FlatField, path: Path) -> None:
    """Keeps a flat field; the file is whole or untouched.

    Raises:
        FlatFieldError: it cannot be written.
    """
    about = {
        "bits": flat.bits,
        "target": flat.target,
        "lines": flat.lines,
        "recorded_at": flat.recorded_at,
        "setup": asdict(flat.setup),
    }
    text = json.dumps(about)
    checksum = _checksum(flat.dark, flat.white, text)
    metadata = {"format": FORMAT, "version": str(VERSION), "about": text, "checksum": checksum}
    tensors = {"dark": np.ascontiguousarray(flat.dark), "white": np.ascontiguousarray(flat.white)}
    try:
        write_atomically(path, save(tensors, metadata))
    except OSError as error:
        raise FlatFieldError(
            "flat-field-unwritable", "The flat field cannot be written to {path}: {reason}", path=path, reason=error
        ) from error


def read_flat_field(path: Path) -> FlatField:
    """Reads a flat field.

    Raises:
        FlatFieldError: there is none, or it cannot be used.
    """
    try:
        # Read as a whole: a file that somebody overwrites while it is mapped into memory kills the program.
        data = read_whole(path, _MOST_BYTES)
    except FileNotFoundError:
        raise FlatFieldError("flat-field-missing", "There is no flat field {path}; record one.", path=path) from None
    except OSError as error:
        raise FlatFieldError(
            "flat-field-unreadable", "The flat field {path} cannot be read: {reason}", path=path, reason=error
        ) from error
    except ContentError as error:
        raise _damaged(path, error) from error
    try:
        return _parsed(data, path)
    # The last three: a number of a kind that numpy does not know, or more of them than there are bytes.
    except (SafetensorError, KeyError, ContentError, ValueError, TypeError, AttributeError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, reason: Exception) -> FlatFieldError:
    return FlatFieldError(
        "flat-field-damaged",
        "The flat field {path} is damaged ({reason}); record it again.",
        path=path,
        reason=reason,
    )


def _parsed(data: bytes, path: Path) -> FlatField:
    """A flat field out of the bytes of its file.

    Raises:
        FlatFieldError: it is of another kind or version, or its values make no sense.
        SafetensorError, KeyError, ContentError, ValueError, TypeError, AttributeError: it is damaged.
    """
    tensors = load(data)  # checks the length of the head, and that the tensors fill the file
    head_bytes = int.from_bytes(data[:8], "little")
    metadata = parse_json(data[8 : 8 + head_bytes], _Head).metadata
    if metadata.format != FORMAT:
        raise FlatFieldError("not-a-flat-field", "{path} is no flat field.", path=path)
    if metadata.version != str(VERSION):
        raise FlatFieldError(
            "flat-field-version",
            "{path} is of version {version}; this program reads {known}. Record it again.",
            path=path,
            version=metadata.version,
            known=VERSION,
        )
    about = parse_json(metadata.about.encode("utf-8", "replace"), _About)
    dark, white = tensors["dark"], tensors["white"]
    # A bit that flips in a level is a stripe of wrong brightness along the roll, and no level looks wrong by itself.
    if metadata.checksum and metadata.checksum != _checksum(dark, white, metadata.about):
        raise ContentError("content-of-other-checksum", "it does not match its checksum")
    problem = problem_of_levels(dark, white, about.bits)
    if problem is not None:
        raise FlatFieldError(
            "flat-field-values-wrong",
            "The flat field {path} holds values that make no sense ({problem}); record it again.",
            path=path,
            problem=problem,
        )
    setup = CameraSetup(about.setup.camera, about.setup.exposure_us, about.setup.gain)
    return FlatField(dark, white, about.bits, about.target, about.lines, about.recorded_at, setup)


def _checksum(dark: npt.NDArray[np.generic], white: npt.NDArray[np.generic], about: str) -> str:
    digest = hashlib.sha256(about.encode("utf-8", "replace"))
    for levels in (dark, white):
        digest.update(f"{levels.dtype} {levels.shape}".encode())
        digest.update(np.ascontiguousarray(levels).tobytes())
    return digest.hexdigest()


def remove_flat_field(path: Path) -> bool:
    """Deletes a flat field; says whether there was one.

    Raises:
        FlatFieldError: it cannot be deleted.
    """
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise FlatFieldError(
            "flat-field-not-removed", "The flat field {path} cannot be removed: {reason}", path=path, reason=error
        ) from error
    return True
