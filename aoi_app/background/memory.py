"""Memory that long work has used goes back to the system.

Every thread that computes has a heap of its own in the C library of Linux, which keeps what was freed: after each
enrolment or evaluation the program was a little larger, for weeks. Other systems give it back by themselves.
"""

from __future__ import annotations

import ctypes
import sys


def give_memory_back() -> None:
    """Takes some milliseconds; call it in the thread that has worked."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None  # glibc has it
    if trim is not None:
        trim(0)
