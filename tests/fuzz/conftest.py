"""The fuzz tests: every reader of a file, fed with files that somebody has damaged or made to do harm."""

from __future__ import annotations

import warnings

import pytest
from fuzz_tools import tried


@pytest.fixture(autouse=True)
def _libraries_may_warn() -> None:
    """Of odd contents; what is read is decided by us."""
    warnings.simplefilter("ignore")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many inputs were tried."""
    if tried:
        terminalreporter.write_line(f"fuzzed: {sum(tried.values()):,} inputs")
        for name, count in sorted(tried.items()):
            terminalreporter.write_line(f"  {name}: {count:,}")
