"""Flat fields on disk, one file a camera."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from aoi_app.sources.flat_field.correction import CameraSetup, FlatField, FlatFieldError
from cras_core.files import write_atomically

FORMAT = "aoi-flat-field"
VERSION = 1


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
    metadata = {"format": FORMAT, "version": str(VERSION), "about": json.dumps(about)}
    tensors = {"dark": np.ascontiguousarray(flat.dark), "white": np.ascontiguousarray(flat.white)}
    try:
        write_atomically(path, save(tensors, metadata))
    except OSError as error:
        raise FlatFieldError(f"The flat field cannot be written to {path}: {error.strerror or error}") from error


def read_flat_field(path: Path) -> FlatField:
    """Reads a flat field.

    Raises:
        FlatFieldError: there is none, or it cannot be used.
    """
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise FlatFieldError(f"{path} is no flat field.")
            if metadata.get("version") != str(VERSION):
                raise FlatFieldError(
                    f"{path} is of version {metadata.get('version')}; this program reads {VERSION}. Record it again."
                )
            about = json.loads(metadata["about"])
            dark, white = file.get_tensor("dark"), file.get_tensor("white")
        setup = CameraSetup(**about.pop("setup"))
        flat = FlatField(dark=dark, white=white, setup=setup, **about)
    except FileNotFoundError:
        raise FlatFieldError(f"There is no flat field {path}; record one.") from None
    except OSError as error:
        raise FlatFieldError(f"The flat field {path} cannot be read: {error.strerror or error}") from error
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise FlatFieldError(f"The flat field {path} is damaged ({error}); record it again.") from error
    is_level = dark.shape == white.shape and white.ndim in (1, 2) and white.dtype == dark.dtype == np.float32
    if not is_level or white.size == 0 or not np.isfinite(white - dark).all() or not 8 <= flat.bits <= 16:
        raise FlatFieldError(f"The flat field {path} holds values that make no sense; record it again.")
    return flat


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
        raise FlatFieldError(f"The flat field {path} cannot be removed: {error.strerror or error}") from error
    return True
