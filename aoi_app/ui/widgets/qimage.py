"""Pictures of numpy for Qt."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage


def to_qimage(image: npt.NDArray[np.uint8]) -> QImage:
    """(H, W) grey or (H, W, 3) RGB uint8 as a picture of its own."""
    whole = np.ascontiguousarray(image)
    height, width = whole.shape[:2]
    kind = QImage.Format.Format_Grayscale8 if whole.ndim == 2 else QImage.Format.Format_RGB888
    return QImage(whole.tobytes(), width, height, whole.strides[0], kind).copy()
