"""What goes into a detector on another runtime, and what comes out."""

from __future__ import annotations

FORMAT = "cras-onnx"
VERSION = 1
INPUTS = ("tiles", "fabric", "shift")
OUTPUTS = ("similarity", "scores", "vectors")
