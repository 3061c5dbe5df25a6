"""Centre-aware residual anomaly synthesis for cloth: images in, anomaly maps and scores out.

    from cras_core import load, score_image, train

    detector = train("mill", out="fabrics.cras")
    found = score_image(detector, "cloth.png")

Knows torch, timm, numpy and OpenCV; knows nothing of windows, cameras or databases. The sub-package ``cras_core.web``
needs no torch: it is the geometry of a running web, which training and the live line share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cras_core.version import __version__

if TYPE_CHECKING:
    from cras_core.api import Detector, ImageScore, load, score_image, train

__all__ = ["Detector", "ImageScore", "__version__", "load", "score_image", "train"]


def __getattr__(name: str) -> Any:
    """Loads torch when the first of these is asked for, and not before: a program's ``--help`` must not wait for it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from cras_core import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
