"""Packages that only some commands need. Asked before torch is imported, so that the answer comes at once."""

from __future__ import annotations

import importlib.util

from cras_core.errors import ExportError

_ONNX = ("onnx", "onnxscript", "onnxruntime")


def check_onnx() -> None:
    """Raises ExportError where a package of the extra ``export`` is missing."""
    missing = [name for name in _ONNX if importlib.util.find_spec(name) is None]
    if missing:
        raise ExportError(
            "onnx-packages-missing",
            "ONNX files need packages that are not installed: {missing}.",
            hint="Install them: pip install '.[export]'",
            missing=missing,
        )
