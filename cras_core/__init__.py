"""Centre-aware residual anomaly synthesis for cloth: images in, anomaly maps and scores out.

Knows torch, timm, numpy and OpenCV; knows nothing of windows, cameras or databases. The sub-package ``cras_core.web``
needs no torch: it is the geometry of a running web, which training and the live line share.
"""

__version__ = "0.1.0"
