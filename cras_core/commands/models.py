"""Commands that change which fabrics a model knows, and those of the history of models."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cras_core.commands.terminal import (
    Bits,
    Device,
    SkipCorrupt,
    check_place,
    console,
    progress_bar,
    remark,
    show_table,
)
from cras_core.errors import DataError

if TYPE_CHECKING:
    from cras_core.registry.bundle import Bundle
    from cras_core.registry.diff import Comparison
    from cras_core.registry.entries import Entry
    from cras_core.registry.store import ModelStore
    from cras_core.training.progress import Progress

BundleFile = Annotated[Path, typer.Argument(help="A bundle.")]
Fabric = Annotated[str, typer.Argument(help="Name of the fabric.")]
Out = Annotated[Path, typer.Option(help="The bundle to write.")]
Author = Annotated[str | None, typer.Option(help="Who does this; who is logged in where it is not given.")]
Model = Annotated[str, typer.Argument(metavar="MODEL", help="Identity of a model, or its first digits.")]


def enrol(
    bundle: BundleFile,
    fabric: Fabric,
    folder: Annotated[
        Path, typer.Argument(help="Good cloth: a folder with normal (strips) or train/good (tiles), or just pictures.")
    ],
    out: Out,
    tiles: Annotated[bool, typer.Option("--tiles", help="Just pictures are single tiles, not strips of web.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Enrol a fabric anew that the model has.")] = False,
    author: Author = None,
    skip_corrupt: SkipCorrupt = False,
    bits: Bits = None,
    device: Device = "auto",
) -> None:
    """Add a fabric to a trained model in a minute, without training; its limit is provisional until a full one."""
    from cras_core.data.folders import find_good_cloth
    from cras_core.data.validation import validate_normal_images
    from cras_core.registry.bundle import read_bundle, write_bundle
    from cras_core.training.enrol import enrol as run

    check_place(out)
    before = read_bundle(bundle)
    if None not in (bits, before.bits) and bits != before.bits:
        raise DataError(
            "bits-contradict-model",
            "{bundle} has learnt from pictures of {learnt} bits; --bits {bits} contradicts it",
            bundle=bundle,
            learnt=before.bits,
            bits=bits,
        )
    found = find_good_cloth(folder, fabric, are_tiles=tiles)
    with progress_bar() as bar:
        tasks = {s: bar.add_task(s, total=None, message="") for s in ("check", "features", "calibration")}

        def told(stage: str, done: int, total: int, message: str) -> None:
            bar.update(tasks[stage], completed=done, total=total, message=Path(message).name)

        def on_progress(step: Progress) -> None:
            told(step.stage, step.done, step.total, step.message)

        (sound,) = validate_normal_images(
            [found],
            skip_corrupt=skip_corrupt,
            bits=before.bits or bits,
            on_picture=lambda path, done, total: told("check", done, total, str(path)),
        )
        after = run(before, sound, device, replacing=replace, author=author, on_progress=on_progress)
    write_bundle(after, out)
    remark([f"{path} cannot be read and is left out" for path in sound.skipped])
    remark(after.provenance["warnings"][-1:])
    _tell(out, after, f"enrolled in {after.provenance['seconds']:.0f} s")


def remove_fabric(bundle: BundleFile, fabric: Fabric, out: Out, author: Author = None) -> None:
    """Take a fabric out of a model; the others score as before."""
    from cras_core.registry.bundle import read_bundle
    from cras_core.training.fabric_changes import remove_fabric as run

    _write(out, lambda: run(read_bundle(bundle), fabric, author))


def rename_fabric(
    bundle: BundleFile,
    fabric: Fabric,
    name: Annotated[str, typer.Argument(help="Its new name.")],
    out: Out,
    author: Author = None,
) -> None:
    """Give a fabric of a model another name."""
    from cras_core.registry.bundle import read_bundle
    from cras_core.training.fabric_changes import rename_fabric as run

    _write(out, lambda: run(read_bundle(bundle), fabric, name, author))


def merge(
    bundle: BundleFile,
    other: Annotated[Path, typer.Argument(help="A bundle of the same training, with fabrics that the first lacks.")],
    out: Out,
    author: Author = None,
) -> None:
    """Take over the fabrics that were enrolled into another copy of a model."""
    from cras_core.registry.bundle import read_bundle
    from cras_core.training.fabric_changes import merge as run

    _write(out, lambda: run(read_bundle(bundle), read_bundle(other), author))


def _write(out: Path, make: Callable[[], Bundle]) -> None:
    from cras_core.registry.bundle import write_bundle

    check_place(out)
    made = make()
    write_bundle(made, out)
    _tell(out, made, "written")


def _tell(out: Path, bundle: Bundle, done: str) -> None:
    console.print(escape(f"{out}: model {bundle.identity}, {', '.join(bundle.fabrics)}, {done}"), soft_wrap=True)


models = typer.Typer(no_args_is_help=True, help="The history of models: which there are, and which is in use.")


@models.callback()
def _open_store(context: typer.Context, store: Annotated[Path, typer.Argument(help="Folder of models.")]) -> None:
    from cras_core.registry.store import ModelStore

    context.obj = ModelStore(store)


def _store(context: typer.Context) -> ModelStore:
    store: ModelStore = context.obj
    return store


@models.command("list")
def list_models(context: typer.Context) -> None:
    """List all models, the newest first, and files that are none."""
    store = _store(context)
    table = Table("", "model", "made", "by", "kind", "fabrics", "MB", "from", "remark")
    for e in store.entries():
        marks = ("in use " if e.in_use else "") + ("pinned" if e.pinned else "")
        fabrics = ", ".join(f"{f} (provisional)" if f in e.provisional else f for f in e.fabrics)
        made = "" if e.problem and not e.made_s else _day(e.made_s)
        row = (
            marks,
            e.identity,
            made,
            e.author,
            e.kind,
            fabrics,
            f"{e.size_bytes / 1e6:.1f}",
            e.parent or "",
            e.problem,
        )
        table.add_row(*map(escape, row), style="red" if e.problem else None)
    show_table(table)
    if store.in_use is None:
        remark(["No model is in use yet: cras models STORE use MODEL"])


@models.command("show")
def show_model(context: typer.Context, model: Model) -> None:
    """Show what a model knows and when it was in use."""
    store = _store(context)
    e, bundle = store.entry(model), store.read(model)
    console.print(escape(f"{e.path}: {e.kind}, made {_day(e.made_s)} by {e.author or 'nobody knows'}"), soft_wrap=True)
    table = Table("fabric", "limit", "good cloth, m2", "pictures", "")
    pictures = bundle.provenance.get("pictures", {})
    for c in bundle.calibrations:
        state = "provisional" if c.enrolled_quickly else ""
        table.add_row(escape(c.fabric), f"{c.limit:.2f}", f"{c.seen_m2:.2g}", str(pictures.get(c.fabric, "?")), state)
    show_table(table)
    remark([str(w) for w in bundle.provenance.get("warnings", ())])
    log = Table("in use from", "by", "in the place of", "because")
    for p in store.promotions:
        if p.identity == e.identity:
            log.add_row(*map(escape, (p.at, p.author, p.before or "", p.reason)))
    show_table(log)


@models.command("compare")
def compare_models(
    context: typer.Context, before: Model, after: Annotated[str, typer.Argument(metavar="OTHER", help="Another.")]
) -> None:
    """Show what differs between two models."""
    found = _store(context).compare(before, after)
    table = Table("", found.before, found.after)
    for name, a, b in _differences(found):
        table.add_row(escape(name), escape(a), escape(b))
    show_table(table)
    remark([f"{model} does not tell its pictures, so they cannot be compared" for model in found.samples_unknown])


def _differences(found: Comparison) -> list[tuple[str, str, str]]:
    rows = [("heads", "the same", "the same") if found.same_heads else ("heads", "", "others")]
    rows += [(s.name, str(s.before), str(s.after)) for s in found.settings]
    for limits in found.limits:
        a, b = ("–" if v is None else f"{v:.3f}" for v in (limits.before, limits.after))
        rows.append((f"limit of {limits.fabric}", a, f"{b} (provisional)" if limits.provisional else b))
    for s in found.samples:
        rows.append((f"only here, pictures of {s.fabric}", ", ".join(s.removed), ", ".join(s.added)))
    return rows


@models.command("add")
def add_model(context: typer.Context, bundle: BundleFile) -> None:
    """Keep a copy of a bundle in the store."""
    from cras_core.registry.bundle import read_bundle

    _say(_store(context).add(read_bundle(bundle)), "is in the store")


@models.command("use")
def use_model(
    context: typer.Context,
    model: Model,
    reason: Annotated[str, typer.Option(help="Why, for the log.")] = "",
    author: Author = None,
) -> None:
    """Put a model into use: a new one, or an older one again."""
    promotion = _store(context).promote(model, reason, author)
    before = f" in the place of {promotion.before}" if promotion.before else ""
    console.print(escape(f"{promotion.identity} is in use{before} since {promotion.at}, by {promotion.author}"))


@models.command("remove")
def remove_model(context: typer.Context, model: Model) -> None:
    """Delete a model that is neither in use nor pinned."""
    _say(_store(context).remove(model), "is deleted")


@models.command("prune")
def prune_models(
    context: typer.Context,
    most: Annotated[int | None, typer.Option(help="Keep at most so many models.", min=1)] = None,
    most_mb: Annotated[float | None, typer.Option(help="Keep at most so many megabytes of them.", min=0.001)] = None,
) -> None:
    """Delete the oldest models. The one in use, the one to go back to and pinned ones stay."""
    from cras_core.registry.entries import PrunePolicy

    gone = _store(context).prune(PrunePolicy(most, None if most_mb is None else max(1, round(most_mb * 1e6))))
    for entry in gone:
        _say(entry, "is deleted")
    if not gone:
        console.print("Nothing was deleted.")


@models.command("pin")
def pin_model(context: typer.Context, model: Model) -> None:
    """Never delete a model."""
    _say(_store(context).pin(model), "is pinned")


@models.command("unpin")
def unpin_model(context: typer.Context, model: Model) -> None:
    """Let a pinned model be deleted again."""
    _say(_store(context).unpin(model), "is not pinned any more")


def _say(entry: Entry, what: str) -> None:
    console.print(escape(f"{entry.identity} {what}"))


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
