"""The command line of the detector: registers the verbs of ``commands``."""

from __future__ import annotations

import sys

import typer
from rich.markup import escape

from cras_core.commands import evaluate, export, models, reports, retrain, samples, show, studies, train
from cras_core.commands.terminal import console
from cras_core.program import run_program

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Train and judge detectors of defects in cloth.",
)

for command in (
    train.train,
    evaluate.evaluate,
    evaluate.evaluate_web,
    studies.compare,
    studies.ablate,
    show.show,
    show.benchmark,
    reports.robustness,
    reports.figures,
    export.export,
    models.enrol,
    models.remove_fabric,
    models.rename_fabric,
    models.merge,
    retrain.retrain,
):
    app.command()(command)
app.add_typer(models.models, name="models")
app.add_typer(samples.samples, name="samples")


def main() -> None:
    """Runs the command line; a user's mistake is one line and exit status 2."""
    sys.exit(run_program(app, _say))


def _say(text: str) -> None:
    console.print(f"[red]Error:[/red] {escape(text)}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
