"""Hours of the real window with everything at once: a camera with its recording, trainings, promotions, exports, rolls
that end and begin. Afterwards: whether memory, handles, threads and shared memory stayed flat, and whether every metre
of every roll was inspected or told.

Run by hand, from the top of the sources::

    nice -n 19 python -m tests.faults.soak --minutes 120 --folder /tmp/soak
"""

from __future__ import annotations

import csv
import dataclasses
import json
import multiprocessing
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

console = Console(width=120)

_SAMPLE_S = 20.0
_ROLL_S = 300.0
_PROMOTE_S = 150.0
_PAGE_S = 45.0
_ENROL_S = 900.0
_WAIT_S = 300.0
_PAGES = ("line", "models", "samples", "settings", "cameras")

SMALL = {
    "backbone.input_scale": "1.0",
    "train.epochs": "6",
    "train.patches_per_epoch": "20000",
    "synthesis.drawn_tiles": "4",
    "centers.prototypes": "24",
}
"""Settings with which a training takes a minute and not an hour."""


def main(
    folder: Annotated[Path, typer.Option(help="For everything that is written; should be empty.")],
    minutes: Annotated[float, typer.Option(min=2)] = 120.0,
    lines_per_s: Annotated[float, typer.Option(help="Of the synthetic camera.")] = 250.0,
    width_px: Annotated[int, typer.Option(help="Of the synthetic camera.")] = 512,
) -> None:
    """Runs, prints a line now and then, and a table at the end; exit status 1 where something grew or is missing."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        os.environ[f"XDG_{name}_HOME"] = str(folder / "home" / name.lower())
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("QT_LOGGING_RULES", "*.warning=false")  # what a window without a screen cannot do
    preset = folder / "preset.json"
    features = {"Width": width_px, "Height": 64, "AcquisitionLineRate": lines_per_s}
    listed = [{"name": name, "value": value} for name, value in features.items()]
    preset.write_text(json.dumps({"format": 1, "features": listed}))
    soak = Soak(folder, preset, minutes * 60)
    soak.run()
    sys.exit(0 if soak.tell() else 1)


class Soak:
    """One run. Imports of Qt and torch are late: the environment has to be set before them."""

    def __init__(self, folder: Path, preset: Path, duration_s: float) -> None:
        from aoi_app.app.application import Application
        from aoi_app.records.database import open_database
        from aoi_app.settings.folders import records_path
        from aoi_app.settings.recipe import Recipe
        from aoi_app.settings.settings import CameraChoice, Settings
        from aoi_app.sources.source_choice import SourceChoice
        from aoi_app.ui.widgets.platform import prepare_qt

        self.folder, self.duration_s = folder, duration_s
        self.faults: list[str] = []
        self.series: list[object] = []
        self.refusals: list[str] = []
        self.trainings = self.enrolments = self.promotions = self.exports = 0
        # In a process of its own, so that what torch keeps of it is not measured.
        maker = multiprocessing.get_context("spawn").Process(target=prepare, args=(folder,))
        maker.start()
        maker.join()
        prepare_qt()
        from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

        self.qt = QApplication([])
        sys.excepthook = self._note_fault
        # Nobody is there to answer: what a person would say is said at once.
        QMessageBox.exec = lambda box: QMessageBox.StandardButton.Yes  # type: ignore[assignment]
        QFileDialog.getSaveFileName = lambda *_: (str(folder / "exports" / f"{self.exports:04}"), "")  # type: ignore[assignment]
        (folder / "exports").mkdir(exist_ok=True)
        choice = SourceChoice(
            "synthetic:17",
            camera=CameraChoice(producer="synthetic", serial="17", preset=str(preset)),
            record=folder / "recordings",
            record_gb=0.05,
        )
        self.engine = open_database(f"sqlite:///{self._made(records_path())}")
        self.application = Application(
            self.qt, Settings(), self.engine, choice, folder / "first.cras", Recipe(), "cpu", "float32"
        )
        self.began_s = time.monotonic()

    @staticmethod
    def _made(path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    # --- running --------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Everything at its time, until the time is over."""
        self.application.window.show()
        self.application.begin()
        jobs: list[tuple[float, Callable[[], None]]] = [
            (_SAMPLE_S, self._sample),
            (_PAGE_S, self._next_page),
            (_PROMOTE_S, self._promote),
            (_ROLL_S, self._next_roll),
            (_ENROL_S, self._enrol),
            (60.0, self._keep_training),
        ]
        self._page = 0
        self.application.show_page("models")
        due = [self.began_s + period for period, _ in jobs]
        while time.monotonic() - self.began_s < self.duration_s:
            for i, (period, job) in enumerate(jobs):
                if time.monotonic() >= due[i]:
                    job()
                    due[i] = time.monotonic() + period
            self._wait(200)
        self._sample()
        self.application.shut_down()
        self._until(lambda: self.application.is_at_rest and not self.application.window.isVisible(), "the end")

    def _services(self) -> object:
        return self.application.controllers["models"].services  # type: ignore[attr-defined]

    def _sample(self) -> None:
        from tests.faults.measures import measure

        now = measure(self.began_s, self.folder, self._services().learning.training_pid)  # type: ignore[attr-defined]
        self.series.append(now)
        with (self.folder / "measured.csv").open("a", newline="") as file:
            writer = csv.writer(file)
            if len(self.series) == 1:
                writer.writerow(f.name for f in dataclasses.fields(now))
            writer.writerow(round(v, 2) for v in dataclasses.astuple(now))

    def _next_page(self) -> None:
        self._page = (self._page + 1) % len(_PAGES)
        self.application.show_page(_PAGES[self._page])

    def _promote(self) -> None:
        services = self._services()
        state = services.state()  # type: ignore[attr-defined]
        entries = [e for e in self._entries() if e.identity != state.in_use]
        if entries and not state.busy:
            services.history.promote(entries[self.promotions % len(entries)].identity)  # type: ignore[attr-defined]
            self.promotions += 1

    def _entries(self) -> list[object]:
        from aoi_app.settings.folders import models_folder
        from cras_core.registry.store import ModelStore

        return [e for e in ModelStore(models_folder()).entries() if not e.problem]

    def _enrol(self) -> None:
        services = self._services()
        if not services.state().busy:  # type: ignore[attr-defined]
            services.learning.enrol("satin")  # type: ignore[attr-defined]
            self.enrolments += 1

    def _keep_training(self) -> None:
        services = self._services()
        if services.learning.is_at_rest and not services.state().busy:  # type: ignore[attr-defined]
            services.learning.train(fresh=True)  # type: ignore[attr-defined]
            self.trainings += 1

    def _next_roll(self) -> None:
        actions, roll = self.application.window.actions_by_key, self.application.program.roll
        actions["export"].trigger()
        self.exports += 1
        if roll.is_running:
            actions["stop"].trigger()
            self._answer("End the roll")
            self._until(lambda: roll.session_state.is_over and roll.session.wait(0), "the end of a roll")
            actions["export"].trigger()
            self.exports += 1
        before = roll.session
        actions["start"].trigger()
        self._settle()
        if self.application.window.question_bar.question is not None:
            self._answer("Start the next roll")
            self._settle()
        # What could not begin is told by the window, and a person tries again: at the next turn.
        if roll.session is before:
            self.refusals.append(self._said())

    def _settle(self) -> None:
        """Until the source of a roll was tried, and the window has taken the answer."""
        self._until(lambda: self.application.program.roll.ending.is_at_rest, "a source that opens or does not")
        self._wait(1000)

    def _answer(self, text: str) -> None:
        from PySide6.QtWidgets import QPushButton

        bar = self.application.window.question_bar
        page, self._page = self._page, 0
        self.application.show_page("line")

        def buttons() -> list[QPushButton]:
            return [b for b in bar.findChildren(QPushButton) if b.isVisible() and b.text() == text]

        roll = self.application.program.roll
        before, was_over = roll.session, roll.session_state.is_over
        self._until(
            lambda: bool(buttons()) or roll.session is not before or roll.session_state.is_over is not was_over,
            f"the question {text!r}",
        )
        for button in buttons():
            button.click()
        self._page = page

    def _wait(self, milliseconds: int) -> None:
        from PySide6.QtTest import QTest

        QTest.qWait(milliseconds)

    def _until(self, is_so: Callable[[], bool], what: str) -> None:
        end_s = time.monotonic() + _WAIT_S
        while not is_so():
            if time.monotonic() > end_s:
                after_s = time.monotonic() - self.began_s
                self.faults.append(f"waited in vain for {what} after {after_s:.0f} s; the window said: {self._said()}")
                return
            self._wait(50)

    def _said(self) -> str:
        """What the window told the person last, and in which state it was."""
        from PySide6.QtWidgets import QLabel

        labels = self.application.window.findChildren(QLabel)
        texts = [x.text() for x in labels if x.accessibleName() in ("Message", "Condition of the line", "Why")]
        return f"{self.application.program.roll.state.name}, {', '.join(filter(None, texts)) or 'nothing'}"

    def _note_fault(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        self.faults.append("".join(traceback.format_exception(kind, error, trace)))

    # --- the verdict ----------------------------------------------------------------------------------------------

    def tell(self) -> bool:
        """Prints what was measured; whether all of it is as it should be."""
        from aoi_app.records.database import open_database
        from aoi_app.records.reading import read_roll
        from aoi_app.records.roll_list import read_summaries
        from aoi_app.settings.folders import log_path, records_path
        from tests.faults.measures import verdicts

        engine = open_database(f"sqlite:///{records_path()}")
        rolls = [read_roll(engine, row.roll_id) for row in read_summaries(engine)]
        engine.dispose()
        promises: list[tuple[str, str, bool]] = [*verdicts(self.series)]  # type: ignore[arg-type]
        off = [abs(r["roll"]["length_m"] - r["roll"]["inspected_m"] - r["roll"]["gap_m"]) for r in rolls]
        total, gaps = (sum(r["roll"][key] for r in rolls) for key in ("length_m", "gap_m"))
        promises.append(
            (
                "metres",
                f"{total:.1f} m in {len(rolls)} rolls, {gaps:.1f} m gaps, off by {max(off):.1e} m",
                max(off) < 1e-6,
            )
        )
        said = [x["text"] for r in rolls for x in r["remarks"] if x["kind"] == "unaccounted"]
        promises.append(("unaccounted", "; ".join(said) or "never", not said))
        open_ones = [r["roll"]["id"] for r in rolls if r["roll"]["state"] == "running"]
        promises.append(("rolls begun when asked for", "; ".join(self.refusals)[:2000] or "always", not self.refusals))
        promises.append(("rolls closed", f"open: {open_ones or 'none'}", not open_ones))
        log = log_path().read_text() if log_path().exists() else ""
        promises.append(("faults", "; ".join(self.faults)[:2000] or "none", not self.faults and "Traceback" not in log))
        table = Table("what", "measured", "held", title=f"{self.series[-1].after_s / 60:.0f} minutes")  # type: ignore[attr-defined]
        for name, text, held in promises:
            table.add_row(name, text, "yes" if held else "NO")
        console.print(table)
        console.print(
            f"{self.trainings} trainings, {self.enrolments} enrolments, {self.promotions} promotions, "
            f"{self.exports} exports"
        )
        return all(held for _, _, held in promises)


def prepare(folder: Path) -> None:
    """A small model of two weaves, and samples of three."""
    from aoi_app.settings.folders import library_folder
    from aoi_app.sources.loom_data import write_data_set
    from cras_core.config.presets import cloth
    from cras_core.config.reading import with_settings
    from cras_core.data.folders import find_normal_images
    from cras_core.data.samples.store import SampleStore
    from cras_core.data.samples.values import FabricRecord, Sample
    from cras_core.images import list_images, read_image
    from cras_core.registry.bundle import write_bundle
    from cras_core.training.train import train

    loom = folder / "loom"
    write_data_set(loom, strips=6, lines=512, width_px=1024, seed=7)
    normal = [n for n in find_normal_images(loom) if n.fabric in ("plain", "twill")]
    write_bundle(train(normal, with_settings(cloth(), SMALL), "cpu"), folder / "first.cras")
    store = SampleStore(library_folder())
    for weave in ("plain", "twill", "satin"):
        store.begin(FabricRecord(weave))
        for i, path in enumerate(list_images(loom / weave / "normal")):
            strip = read_image(path)
            for left in (300, 560):
                sample = Sample(f"w{i}-{left}", weave, "collected", f"web-{i}", left_px=left)
                store.add(sample, strip[:256, left : left + 256])


if __name__ == "__main__":
    typer.run(main)
