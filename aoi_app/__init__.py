"""The inspection program: web in, defect records out, and the window over it."""

from cras_core.version import __version__

__all__ = ["__version__"]
