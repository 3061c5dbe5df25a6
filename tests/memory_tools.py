"""How much memory something holds on to."""

import tracemalloc
from collections.abc import Callable


def bytes_kept_by(repeated: Callable[[], object], times: int) -> int:
    """What ``repeated`` leaves behind in all after it was called so often, pixels of arrays included.

    It is called as often beforehand, so that what fills up once and is then replaced does not count.
    """
    for _ in range(times):
        repeated()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(times):
            repeated()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
