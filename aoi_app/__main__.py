"""Where the program begins: something is seen at once, and only then the rest is loaded."""

from __future__ import annotations

import sys
from collections.abc import Sequence

VERBS = frozenset({"camera", "cut-plan", "drift", "export", "inspect", "report", "rolls", "statistics", "weave"})
"""Commands without a window. They are known here before they are loaded, which takes longer than to show something."""


def opens_window(arguments: Sequence[str]) -> bool:
    """Whether a command line most likely opens the window; a mistake in it is found later."""
    return not VERBS.intersection(arguments) and "--help" not in arguments


def main() -> None:
    """Runs the command line; a user's mistake is one line and exit status 2."""
    splash = None
    if opens_window(sys.argv[1:]):
        from aoi_app.ui.main.splash import show_splash  # Qt alone: a fifth of a second

        splash = show_splash()
    from aoi_app.command_line import run_command  # with everything that it imports: a second

    sys.exit(run_command(splash))


if __name__ == "__main__":
    main()
