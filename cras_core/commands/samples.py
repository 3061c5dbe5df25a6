"""Commands for the store of samples: ``cras samples STORE ...``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cras_core.commands.terminal import Bits, Device, check_place, console, progress_bar, remark, show_table
from cras_core.data.folders import contents
from cras_core.errors import DataError
from cras_core.messages import Sentence

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import Progress

    from cras_core.data.samples.store import SampleStore
    from cras_core.data.samples.values import Sample

samples = typer.Typer(no_args_is_help=True, help="Samples of cloth: list, judge, and carry them in and out.")

Fabric = Annotated[str, typer.Argument(help="Name of the fabric.")]
Scale = Annotated[float, typer.Option(help="Size of a pixel, millimetres.", min=0.001)]


@samples.callback()
def _store(
    context: typer.Context,
    store: Annotated[Path, typer.Argument(help="Folder of the store.", show_default=False)],
) -> None:
    context.obj = store


@samples.command("list")
def list_(context: typer.Context) -> None:
    """Show the fabrics of the store and what is broken in it."""
    store = _open(context)
    table = Table("fabric", "good", "defective", "thrown out", "suspicious", "webs", "retired")
    for fabric in store.fabrics():
        found = store.samples(fabric.name)
        good = [s for s in found if s.is_good]
        counts = (
            len(good),
            sum(s.is_defect for s in found),
            sum(s.choice == "thrown out" for s in found),
            sum(s.is_suspicious for s in good),
            len({s.web for s in good}),
        )
        table.add_row(escape(fabric.name), *map(str, counts), "yes" if fabric.is_retired else "")
    show_table(table)
    remark(store.problems())


@samples.command()
def add(
    context: typer.Context,
    fabric: Fabric,
    pictures: Annotated[
        list[Path], typer.Argument(help="Pictures of good cloth, or folders of them; strips are cut into tiles.")
    ],
    web: Annotated[
        str | None, typer.Option(help="Roll that all of them were cut from; without it each counts as its own.")
    ] = None,
    mm_per_px: Scale = 0.2,
    bits: Bits = None,
) -> None:
    """Add pictures as samples of good cloth; the fabric is begun where there is none. Given again, it goes on."""
    from cras_core.data.samples.cutting import pictures_at
    from cras_core.data.samples.picture_import import add_pictures
    from cras_core.data.samples.values import FabricRecord
    from cras_core.registry.provenance import who_is_logged_in

    store, now, author = (
        _store_at(context),
        datetime.now().astimezone().isoformat(timespec="seconds"),
        who_is_logged_in(),
    )
    missing = [p for p in pictures if not p.exists()]
    if missing:
        raise DataError(
            "good-pictures-missing",
            "There is no {path}; name pictures of good cloth, or a folder of them.",
            path=missing[0],
        )
    paths = pictures_at(pictures)
    if not paths:
        raise DataError(
            "folder-without-pictures",
            "{folder} holds no pictures; in it are: {contents}",
            folder=pictures[0],
            contents=contents(pictures[0]),
        )
    is_new = all(f.name != fabric for f in store.fabrics())
    if is_new:
        store.begin(FabricRecord(fabric, created_at=now, author=author, recipe={"mm_per_px": mm_per_px}))
    with progress_bar() as bar:
        task = bar.add_task("add", total=1.0, message="")

        def on_picture(_: list[Sample], done: float) -> bool:
            bar.update(task, completed=done)
            return True

        outcome = add_pictures(store, store.fabric(fabric), paths, author, now, on_picture, web, bits)
    if is_new and not outcome.added:
        store.remove_fabric(fabric)
    if outcome.is_alarm:
        raise DataError("pictures-not-added", "{reason}", reason=Sentence(outcome.text))
    console.print(escape(outcome.text))


@samples.command()
def judge(
    context: typer.Context,
    bundle: Annotated[Path, typer.Argument(help="A bundle; it need not know the fabric.")],
    fabric: Fabric,
    device: Device = "auto",
) -> None:
    """Find samples of good cloth that are probably not: a defect, no cloth, another cloth, bad light."""
    from cras_core.evaluation.suspicion import score_samples
    from cras_core.loading import load_detector

    store = _open(context)
    detector = load_detector(bundle, device)
    with progress_bar() as bar:
        judged = score_samples(store, fabric, detector, _task(bar, "judge"))
    table = Table("sample", "suspicion", "file")
    for sample in sorted(judged, key=lambda s: -(s.suspicion or 0.0)):
        if sample.is_suspicious:
            table.add_row(escape(sample.id), f"{sample.suspicion:.2f}", escape(str(store.image_path(sample))))
    if table.row_count:
        show_table(table)
    console.print(f"{table.row_count} of {len(judged)} samples should be looked at")


@samples.command()
def coverage(
    context: typer.Context, fabric: Annotated[str | None, typer.Argument(help="One fabric only.")] = None
) -> None:
    """Tell how much of each fabric its samples show, and what is missing before training."""
    from cras_core.data.samples.coverage import coverage as look

    store = _open(context)
    names = [f.name for f in store.fabrics() if not f.is_retired] if fabric is None else [fabric]
    table = Table("fabric", "tiles", "webs", "web m", "m2", "tiles per fifth of the width", "grey", "answer")
    for name in names:
        found = look(store.samples(name))
        table.add_row(
            escape(name),
            str(found.tiles),
            str(found.webs),
            f"{found.web_m:.1f}",
            f"{found.area_m2:.2f}",
            " ".join(map(str, found.fifths)),
            f"{found.darkest:.0f} to {found.brightest:.0f}",
            escape(found.answer),
        )
    show_table(table)


@samples.command("export-itdd")
def export_itdd(
    context: typer.Context,
    out: Annotated[Path, typer.Argument(help="A new folder.")],
    fabric: Annotated[list[str] | None, typer.Option(help="Only this fabric; may be given again for more.")] = None,
    test_share: Annotated[float, typer.Option(help="Wanted share of good tiles to judge by.")] = 0.2,
    seed: Annotated[int, typer.Option(help="Decides which webs are for judging.", min=0)] = 0,
) -> None:
    """Write samples as a data set in ITDD's layout, split by web."""
    from cras_core.data.samples.itdd_export import export_itdd as run

    with progress_bar() as bar:
        card = run(_open(context), out, fabric, test_share, seed, _task(bar, "export"))
    table = Table("fabric", "folder", "train/good", "test/good", "defective", "webs to train", "webs to test")
    for f in card.fabrics:
        counts = (f.train_good, f.test_good, sum(d.pictures for d in f.defects), len(f.train_webs), len(f.test_webs))
        table.add_row(escape(f.name), escape(f.folder), *map(str, counts))
    show_table(table)
    remark([f"{f.name}: {text}" for f in card.fabrics for text in f.remarks])


@samples.command("import-itdd")
def import_itdd(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A data set in the layout of ITDD or MVTec AD.")],
    mm_per_px: Scale = 0.2,
    bits: Bits = None,
) -> None:
    """Make samples with labels of a data set in ITDD's layout; its fabrics must be new."""
    from cras_core.data.samples.itdd_import import import_itdd as run

    with progress_bar() as bar:
        found = run(folder, _store_at(context), mm_per_px, _task(bar, "import"), bits=bits)
    for f in found:
        console.print(escape(f"{f.fabric}: {f.good} good, {f.defective} defective samples"))
        if f.filled_px:
            share = 100 * f.filled_px / max(1, f.defective_px)
            remark([f"{f.fabric}: outlines have no holes; {share:.2g} % more pixels are labelled than in the masks"])


@samples.command("export")
def export_(
    context: typer.Context,
    fabric: Fabric,
    out: Annotated[Path, typer.Argument(help="The file to write, *.fabric.")],
) -> None:
    """Write a fabric with its samples, labels and recipe as one file."""
    from cras_core.data.samples.archive import export_fabric

    check_place(out)
    with progress_bar() as bar:
        count = export_fabric(_open(context), fabric, out, _task(bar, "export"))
    console.print(escape(f"{out}: {fabric}, {count} samples"))


@samples.command("import")
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A *.fabric file.")],
    as_name: Annotated[str | None, typer.Option("--as", help="Name of the fabric here.")] = None,
) -> None:
    """Read a fabric from one file into the store."""
    from cras_core.data.samples.archive import import_fabric

    with progress_bar() as bar:
        record = import_fabric(file, _store_at(context), as_name, _task(bar, "import"))
    console.print(escape(f"{record.name} is in the store"))


def _store_at(context: typer.Context) -> SampleStore:
    from cras_core.data.samples.store import SampleStore

    return SampleStore(context.obj)


def _open(context: typer.Context) -> SampleStore:
    from cras_core.errors import DataError

    if not context.obj.is_dir():
        raise DataError(
            "sample-store-no-folder", "{path} is not a folder; name the store of samples.", path=context.obj
        )
    return _store_at(context)


def _task(bar: Progress, name: str) -> Callable[[Path, int, int], None]:
    """A line of the progress display that is told what is done."""
    task = bar.add_task(name, total=None, message="")
    return lambda path, done, total: bar.update(task, completed=done, total=total, message=path.name)
