"""Whether a process that is late was kept from running: a machine that is busy is no driver that hangs."""

from __future__ import annotations

from pathlib import Path

_NS_PER_S = 1e9


def waited_s(pid: int | None) -> float:
    """How long the main thread of a process was ready to run and got no processor, in seconds, since it began.

    Linux counts it (``/proc/PID/schedstat``, second number, in nanoseconds; Documentation/scheduler/sched-stats.rst of
    the kernel). On other systems, and of a process that is gone, it is 0: there only the clock counts.
    """
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[1]) / _NS_PER_S
    except (OSError, ValueError, IndexError):  # no such file; or a kernel that does not count
        return 0.0
