"""Who may know whom: the arrows between the packages, and no circles."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import aoi_app
import cras_core

PACKAGES = {p.__name__: Path(str(p.__file__)).parent for p in (aoi_app, cras_core)}
QT = ("PySide6", "pyqtgraph", "shiboken6")


def modules() -> dict[str, Path]:
    found = {}
    for name, folder in PACKAGES.items():
        for path in folder.rglob("*.py"):
            parts = [name, *path.relative_to(folder).with_suffix("").parts]
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(node: ast.AST, *, only_at_import: bool) -> Iterator[str]:
    """What a module imports; without what it imports later or only for its types, on demand."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "imports are written out"
            for alias in child.names:
                full = f"{child.module}.{alias.name}"
                yield full if full in MODULES else str(child.module)
        elif only_at_import and is_put_off(child):
            continue
        else:
            yield from imports(child, only_at_import=only_at_import)


def is_put_off(node: ast.AST) -> bool:
    """Whether what is in it does not run when the module is imported."""
    if isinstance(node, ast.If):
        return "TYPE_CHECKING" in ast.unparse(node.test)
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def known_by(module: str, *, only_at_import: bool = False) -> set[str]:
    return set(imports(ast.parse(MODULES[module].read_text(encoding="utf-8")), only_at_import=only_at_import))


def within(name: str, *packages: str) -> bool:
    return any(name == p or name.startswith(f"{p}.") for p in packages)


def offenders(who: tuple[str, ...], may_not_know: tuple[str, ...], but: tuple[str, ...] = ()) -> list[str]:
    return [
        f"{module} imports {name}"
        for module in sorted(MODULES)
        if within(module, *who) and not within(module, *but)
        for name in sorted(known_by(module))
        if within(name, *may_not_know)
    ]


def test_the_modules_are_found() -> None:
    assert {"aoi_app.app.application", "aoi_app.ui.main.main_window", "cras_core.detectors.cras.detector"} <= set(
        MODULES
    )
    assert within("PySide6.QtCore", *QT)
    assert any(within(name, "PySide6") for name in known_by("aoi_app.app.application"))


def test_only_the_window_and_the_program_know_qt() -> None:
    assert (
        offenders(
            ("aoi_app", "cras_core"),
            QT,
            but=(
                "aoi_app.ui",
                "aoi_app.app.application",
                "aoi_app.app.camera_controller",
                "aoi_app.app.samples_controller",
                "aoi_app.__main__",
            ),
        )
        == []
    )


def test_the_command_line_loads_qt_only_for_the_window() -> None:
    assert not [n for n in known_by("aoi_app.__main__", only_at_import=True) if within(n, *QT, "torch", "aoi_app.ui")]


def test_the_window_knows_neither_torch_nor_sql_nor_cameras() -> None:
    unknown = (
        "torch",
        "torchvision",
        "timm",
        "sqlalchemy",
        "sqlite3",
        "aoi_app.records",
        "aoi_app.sources",
        "aoi_app.camera_setup.focus_service",
        "aoi_app.camera_setup.focus_text",
    )
    assert offenders(("aoi_app.ui", "aoi_app.camera_setup.focus_state", "aoi_app.settings.scale"), unknown) == []


def test_of_the_core_the_window_knows_values_alone() -> None:
    values = {
        "cras_core.data.samples.coverage",
        "cras_core.errors",
        "cras_core.data.samples.labels",
        "cras_core.data.samples.store",
    }
    views = [
        m for m in MODULES if within(m, "aoi_app.ui", "aoi_app.camera_setup.focus_state", "aoi_app.settings.scale")
    ]
    assert {n for m in views for n in known_by(m) if within(n, "cras_core")} <= values
    assert [m for m in views if "SampleStore" in MODULES[m].read_text(encoding="utf-8")] == []


def test_what_is_decided_of_samples_and_labels_knows_neither_threads_nor_the_store_nor_a_window() -> None:
    who = ("aoi_app.samples.state", "aoi_app.samples.label_drawing", "aoi_app.settings.defect_types")
    assert (
        offenders(who, ("threading", "aoi_app.samples.service", "aoi_app.background.worker", "aoi_app.ui", "torch"))
        == []
    )
    assert (
        offenders(
            ("aoi_app.samples.service", "cras_core.data.samples.picture_import", "aoi_app.samples.thumbnails"),
            ("torch",),
        )
        == []
    )
    assert (
        offenders(
            ("aoi_app.ui",),
            ("aoi_app.samples.service", "aoi_app.background.worker", "cras_core.data.samples.picture_import"),
        )
        == []
    )


def test_what_the_camera_window_shows_is_values_alone() -> None:
    known = known_by("aoi_app.camera_setup.state")
    assert {n for n in known if within(n, "aoi_app")} == {
        "aoi_app.sources.camera.device",
        "aoi_app.sources.camera.features",
    }
    assert offenders(("aoi_app.camera_setup.service",), ("aoi_app.ui", "torch", "aoi_app.app.application")) == []
    assert offenders(("aoi_app.ui",), ("aoi_app.camera_setup.service",)) == []


def test_what_is_decided_of_models_knows_neither_threads_nor_torch_nor_a_window() -> None:
    who = ("aoi_app.learning.state", "aoi_app.learning.wording", "aoi_app.learning.threshold")
    unknown = (
        "threading",
        "torch",
        "aoi_app.learning.service",
        "aoi_app.background.worker",
        "aoi_app.learning.training_job",
        "aoi_app.ui",
    )
    assert offenders(who, unknown) == []
    desk = ("aoi_app.learning.service", "aoi_app.learning.reader", "aoi_app.learning.rows")
    assert offenders(desk, ("aoi_app.ui", "aoi_app.sources.factory", "aoi_app.live", "aoi_app.app.application")) == []
    assert offenders(("aoi_app.ui",), (*desk, "aoi_app.background.worker", "aoi_app.learning.training_job")) == []
    assert (
        offenders(
            ("aoi_app", "cras_core"), ("aoi_app.app.learning_controller",), but=("aoi_app.app.samples_controller",)
        )
        == []
    )


def test_only_the_acquisition_process_knows_the_binding() -> None:
    files = (
        "aoi_app.sources.camera.genicam.device",
        "aoi_app.sources.camera.genicam.nodes",
        "aoi_app.sources.camera.genicam.producer",
    )
    assert offenders(("aoi_app", "cras_core"), ("harvesters", "genicam"), but=files) == []
    later = {
        "aoi_app.sources.acquisition.worker",
        "aoi_app.sources.camera.discovery",
    }  # inside what runs in child processes
    assert {m for m in MODULES if m not in files and known_by(m) & set(files)} == later
    assert not [m for m in MODULES if m not in files and known_by(m, only_at_import=True) & set(files)]


def test_cameras_know_neither_window_nor_records_nor_the_running_line() -> None:
    unknown = ("aoi_app.ui", "aoi_app.records", "aoi_app.live", "aoi_app.app.application", "torch", "sqlalchemy")
    assert offenders(("aoi_app.sources",), unknown) == []


def test_the_line_and_its_records_do_not_know_torch() -> None:
    who = ("aoi_app.live", "aoi_app.records", "aoi_app.inspection")
    unknown = (
        "torch",
        "timm",
        "cras_core.loading",
        "cras_core.detectors.trained",
        "cras_core.training.train",
        "aoi_app.ui",
    )
    assert (
        offenders(who, unknown, but=("aoi_app.live.assembly", "aoi_app.live.headless", "aoi_app.live.model_loader"))
        == []
    )


def test_the_records_know_neither_cameras_nor_sessions() -> None:
    assert offenders(("aoi_app.records",), ("aoi_app.sources", "aoi_app.live", "aoi_app.sources.factory")) == []


def test_the_core_knows_nothing_of_the_program() -> None:
    assert offenders(("cras_core",), ("aoi_app", *QT, "sqlalchemy")) == []


def test_the_geometry_of_the_web_knows_no_torch() -> None:
    assert (
        offenders(
            ("cras_core.web",),
            ("torch", "timm", "cras_core.loading", "cras_core.detectors.trained", "cras_core.registry.bundle"),
        )
        == []
    )


def test_nobody_imports_the_program_but_its_command_line() -> None:
    assert offenders(("aoi_app", "cras_core"), ("aoi_app.app.application",), but=("aoi_app.__main__",)) == []
    assert (
        offenders(("aoi_app", "cras_core"), ("aoi_app.app.camera_controller",), but=("aoi_app.app.application",)) == []
    )
    assert (
        offenders(("aoi_app", "cras_core"), ("aoi_app.app.samples_controller",), but=("aoi_app.app.application",)) == []
    )
    assert offenders(("aoi_app", "cras_core"), ("aoi_app.__main__",)) == []


@pytest.mark.parametrize("only_at_import", [True, False])
def test_there_are_no_circles(only_at_import: bool) -> None:
    graph = {m: {n for n in known_by(m, only_at_import=only_at_import) if n in MODULES and n != m} for m in MODULES}
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join([*path[path.index(module) :], module])
        if module not in done:
            for other in sorted(graph[module]):
                visit(other, (*path, module))
            done.add(module)

    for module in sorted(graph):
        visit(module, ())
