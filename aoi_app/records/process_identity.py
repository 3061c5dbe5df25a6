"""Which process writes a roll: told apart from every other one that ever has its number."""

from __future__ import annotations

from pathlib import Path

import psutil

_PROC = Path("/proc")
_BOOT_ID = _PROC / "sys" / "kernel" / "random" / "boot_id"


def process_identity(pid: int) -> str | None:
    """The identity of a running process; None where there is none with this number, or it has ended already.

    On Linux it is the boot of the machine and the clock tick of that boot at which the process began. Times of day are
    of no use there: psutil computes them from the present time of day, so that they change when somebody sets the
    clock. Elsewhere the system keeps the time at which a process began, as it was told then.
    """
    if _BOOT_ID.exists():
        try:
            stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
            boot = _BOOT_ID.read_text(encoding="ascii").strip()
        except OSError:  # there is no such process, or it ends just now
            return None
        # The name of the program stands in brackets and may hold anything; what follows is numbered from 3 (proc(5)).
        fields = stat.rpartition(")")[2].split()
        state, begun_ticks = fields[0], fields[22 - 3]
        return None if state == "Z" else f"{boot}/{begun_ticks}"
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
    except psutil.Error:
        return None
