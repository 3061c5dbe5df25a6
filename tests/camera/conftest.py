"""What the camera tests share: the producer of the installed package, and that nothing is left behind."""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from aoi_app.sources.camera.discovery import package_producer


@pytest.fixture(scope="session")
def viky() -> str:
    """The producer with simulated cameras."""
    path = package_producer()
    if path is None:
        pytest.skip("the package genicam has no producer on this system")
    return str(path)


def _left() -> list[object]:
    """Processes and shared memory of this process."""
    return [*multiprocessing.active_children(), *Path("/dev/shm").glob(f"aoi-{os.getpid()}-*")]


@pytest.fixture(autouse=True)
def _leaves_nothing() -> Iterator[None]:
    """No process and no shared memory is left by any test here."""
    yield
    if _left():
        gc.collect()  # only now: with torch in memory it takes longer than most of these tests
    assert _left() == []
