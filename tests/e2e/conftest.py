"""What the tests of the whole program share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from aoi_process import CommandLine


@pytest.fixture
def aoi(tmp_path: Path) -> Iterator[CommandLine]:
    """The command line of the program."""
    line = CommandLine(tmp_path)
    yield line
    line.end()
