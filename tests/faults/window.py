"""The real window for the harness: a roll of the loom, whose defects are printed when a person sees them first."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtWidgets import QApplication

from aoi_app.app.application import Application, run
from aoi_app.live.state import News
from aoi_app.records.database import chosen_url, open_database
from aoi_app.records.interrupted import mark_interrupted
from aoi_app.settings.recipe import Recipe
from aoi_app.settings.settings import load_settings
from aoi_app.sources.source_choice import SourceChoice
from aoi_app.ui.widgets.platform import prepare_qt


def say(*parts: object) -> None:
    """For the harness, which reads it also when this process is killed."""
    sys.stdout.write(" ".join(map(str, parts)) + "\n")
    sys.stdout.flush()


def main(bundle: Path, spec: str, seed: int) -> int:
    """As ``aoi_app.command_line`` opens it."""
    prepare_qt()
    qt = QApplication([])
    settings, _ = load_settings()
    engine = open_database(chosen_url(None, settings.database))
    say("interrupted", *mark_interrupted(engine))
    choice = SourceChoice(spec, lines_per_s=3000.0, seed=seed)
    application = Application(qt, settings, engine, choice, bundle, Recipe(), "cpu", "float32")

    def tell(news: News) -> None:
        for defect in news.defects:
            say("told", application.program.roll.roll_id, defect.number)
        for number in news.withdrawn:
            say("withdrawn", application.program.roll.roll_id, number)

    application.program.bridge.news_came.connect(tell)
    return run(qt, application)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
