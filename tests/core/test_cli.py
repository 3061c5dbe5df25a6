"""The command line: what a person's mistake looks like, and what is left behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from cras_core.__main__ import main
from cras_core.images import list_images, read_image
from cras_core.registry.bundle import read_bundle

TINY = [
    *("--set", "backbone.input_scale=1.0"),
    *("--set", "train.patches_per_epoch=2000"),
    *("--set", "synthesis.drawn_tiles=1"),
    *("--set", "centers.prototypes=8"),
    *("--device", "cpu"),
]


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str


def cras(*arguments: object) -> Done:
    """Runs the command line in a process of its own."""
    command = [sys.executable, "-m", "cras_core", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())
    return Done(done.returncode, done.stdout, done.stderr)


def environment() -> dict[str, str]:
    """Ours, with this checkout to import from and lines too wide to break."""
    root = str(Path(__file__).parents[2])
    return os.environ | {"PYTHONPATH": root, "COLUMNS": "300", "PYTHONIOENCODING": "utf-8"}


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """The same in this process, which spares the seconds that torch takes to load."""

    def run(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["cras", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "300")
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main()
        said = capsys.readouterr()
        return Done(int(caught.value.code or 0), said.out, said.err)

    return run


def assert_is_a_mistake(done: Done, *parts: str) -> None:
    """Exit status 2, what was wrong, no traceback."""
    assert done.status == 2, done.err
    assert "Traceback" not in done.err
    for part in parts:
        assert part in done.err


@pytest.fixture(scope="module")
def data(loom_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three short strips of one fabric, one of which has a name that looks like markup."""
    root = tmp_path_factory.mktemp("data")
    folder = root / "plain" / "normal"
    folder.mkdir(parents=True)
    for path, name in zip(list_images(loom_data / "plain" / "normal"), ("1", "2", "3 [bold]"), strict=False):
        Image.fromarray(read_image(path)[:256, 200:840]).save(folder / f"{name}.png")
    return root


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Done, Path]:
    """What ``cras train`` said, and the bundle."""
    out = tmp_path_factory.mktemp("out") / "models" / "plain [v1].cras"
    return cras("train", data, "--out", out, "--epochs", 2, "--seed", 5, "--mm-per-px", 0.1, *TINY), out


def test_training_writes_a_bundle(trained: tuple[Done, Path]) -> None:
    done, out = trained
    assert done.status == 0, done.err
    bundle = read_bundle(out)
    assert bundle.fabrics == ("plain",)
    assert (bundle.config.train.epochs, bundle.config.train.seed) == (2, 5)
    assert bundle.config.calibration.mm_per_px == 0.1
    assert bundle.config.centers.prototypes == 8
    assert "1 fabrics, 3 pictures" in done.err
    assert f"model {bundle.identity}" in done.err
    assert "plain [v1].cras" in done.err
    assert [p.name for p in out.parent.iterdir()] == [out.name]


def test_a_bundle_is_shown_as_json(trained: tuple[Done, Path]) -> None:
    _, out = trained
    done = cras("show", out)
    assert done.status == 0, done.err
    shown, bundle = json.loads(done.out), read_bundle(out)
    assert shown["model"] == bundle.identity
    assert shown["fabrics"][0]["fabric"] == "plain"
    assert shown["fabrics"][0]["limit"] == bundle.calibrations[0].limit
    assert shown["config"] == json.loads(json.dumps(bundle.config.to_dict()))
    assert shown["weights_hash"] == bundle.weights_hash
    assert shown["provenance"]["pictures"] == {"plain": 3}


def test_a_model_is_evaluated(here: Callable[..., Done], bundle_path: Path, mvtec: Path, tmp_path: Path) -> None:
    done = here("evaluate", bundle_path, mvtec, "--json", tmp_path / "report.json", "--device", "cpu")
    assert done.status == 0, done.err
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert set(report["fabrics"]) == {"plain", "twill"}
    for part in ("plain", "twill", "mean", "AUPRO", f"{report['mean']['p_auroc']:.3f}"):
        assert part in done.out


@pytest.fixture(scope="module")
def two_seeds(data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Bundles of two seeds, trained by one command; the second picture to train on cannot be read."""
    root, out = tmp_path_factory.mktemp("spoilt"), tmp_path_factory.mktemp("seeds")
    shutil.copytree(data / "plain", root / "plain")
    (root / "plain" / "normal" / "0.png").write_bytes(b"no picture")
    done = cras(
        "train", root, "--out", out / "m.cras", "--epochs", 1, "--seed", 4, "--seeds", 2, "--skip-corrupt", *TINY
    )
    assert done.status == 0, done.err
    assert "0.png cannot be read and is left out" in done.err
    return sorted(out.iterdir())


def test_several_seeds_are_trained_by_one_command(two_seeds: list[Path]) -> None:
    assert [p.name for p in two_seeds] == ["m-seed4.cras", "m-seed5.cras"]
    bundles = [read_bundle(p) for p in two_seeds]
    assert [b.config.train.seed for b in bundles] == [4, 5]
    assert bundles[0].identity != bundles[1].identity
    for bundle in bundles:
        assert bundle.provenance["pictures"] == {"plain": 3}
        assert [Path(p).name for p in bundle.provenance["unreadable"]] == ["0.png"]


def test_anomnet_is_trained_judged_and_timed_by_the_same_commands(
    here: Callable[..., Done], data: Path, mvtec: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "a.cras"
    done = here(
        "train", data, "--out", bundle, "--detector", "anomnet", "--epochs", 2, "--set", "anomnet.first_stage=1", *TINY
    )
    assert done.status == 0, done.err
    shown = json.loads(here("show", bundle).out)
    assert shown["detector"] == "anomnet"
    assert not any("first stage" in line for line in shown["provenance"]["warnings"])
    done = here("evaluate", bundle, mvtec, "--device", "cpu")
    assert done.status == 0, done.err
    assert "AUPRO" in done.out
    done = here("benchmark", bundle, "--batch", 1, "--rounds", 1, "--device", "cpu")
    assert done.status == 0, done.err
    assert "whole line" in done.out
    assert_is_a_mistake(
        here("train", data, "--detector", "banknote"), "heads.detector must be 'cras' or 'anomnet', not 'banknote'"
    )


@pytest.mark.parametrize(("command", "parts"), [("evaluate", "mean"), ("evaluate-web", "all")])
def test_several_bundles_give_mean_and_spread(
    here: Callable[..., Done],
    two_seeds: list[Path],
    mvtec: Path,
    loom_data: Path,
    tmp_path: Path,
    command: str,
    parts: str,
) -> None:
    root = tmp_path / "data"
    source = mvtec if command == "evaluate" else loom_data
    shutil.copytree(source / "plain", root / "plain")
    for kind in ("defect", "mask"):
        for path in list_images(root / "plain" / kind)[1:] if command == "evaluate-web" else []:
            path.unlink()
    done = here(command, *two_seeds, root, "--json", tmp_path / "report.json", "--device", "cpu")
    assert done.status == 0, done.err
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["seeds"] == [4, 5]
    assert list(report["bundles"]) == list(map(str, two_seeds))
    each = [r[parts]["p_auroc"] for r in report["bundles"].values()]
    found = report["summary"][parts]["p_auroc"]
    assert found["mean"] == pytest.approx(sum(each) / 2)
    assert f"{found['mean']:.3f} ± {found['spread']:.3f}" in done.out


def test_pictures_that_cannot_be_read_stop_an_evaluation_unless_they_are_to_be_skipped(
    here: Callable[..., Done], bundle_path: Path, mvtec: Path, tmp_path: Path
) -> None:
    root = tmp_path / "data"
    shutil.copytree(mvtec, root)
    for weave in ("plain", "twill"):
        (root / weave / "test" / "good" / "1.png").write_bytes(b"no picture")
    done = here("evaluate", bundle_path, root, "--device", "cpu")
    assert_is_a_mistake(
        done, "2 pictures cannot be read", "--skip-corrupt", str(Path("plain", "test", "good", "1.png"))
    )
    done = here("evaluate", bundle_path, root, "--skip-corrupt", "--json", tmp_path / "r.json", "--device", "cpu")
    assert done.status == 0, done.err
    protocol = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["protocol"]
    assert (protocol["pictures"], len(protocol["unreadable"])) == (10, 2)
    assert "left out, 2:" in done.err


@pytest.mark.parametrize("command", ["train", "evaluate", "evaluate-web", "compare", "ablate"])
def test_a_named_data_set_that_is_another_says_what_was_expected(
    here: Callable[..., Done], bundle_path: Path, mvtec: Path, command: str, tmp_path: Path
) -> None:
    bundle = [bundle_path] if command.startswith("evaluate") else []
    name = "aitex" if command == "evaluate-web" else "visa"
    expected = "expected NODefect_images" if name == "aitex" else "expected split_csv/1cls.csv"
    assert_is_a_mistake(here(command, *bundle, mvtec, "--dataset", name), expected, "it holds plain/, twill/")
    assert_is_a_mistake(here(command, *bundle, mvtec, "--dataset", "moon"), "there is no data set 'moon'", "mvtec")


def test_the_authors_vote_is_named_loudly(
    here: Callable[..., Done], bundle_path: Path, mvtec: Path, tmp_path: Path
) -> None:
    out = tmp_path / "report.json"
    voted = "authors-batch-vote"
    done = here("evaluate", bundle_path, mvtec, "--protocol", voted, "--json", out, "--device", "cpu")
    assert done.status == 0, done.err
    assert f"PROTOCOL {voted}" in done.out
    assert json.loads(out.read_text(encoding="utf-8"))["protocol"]["matching"] == voted
    assert_is_a_mistake(
        here("evaluate", bundle_path, mvtec, "--protocol", "best"), "there is no protocol 'best'", voted
    )


def test_robustness_stands_beside_the_papers_table(
    here: Callable[..., Done], bundle_path: Path, mvtec: Path, tmp_path: Path
) -> None:
    done = here("robustness", bundle_path, mvtec, "--json", tmp_path / "report.json", "--device", "cpu")
    assert done.status == 0, done.err
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    change = 100 * report["change"]["illumination variation"]["p_auroc"]
    for part in ("undisturbed", "+ equipment vibration", "-6.7 / -1.8", f"{change:+.1f}", "mean change"):
        assert part in done.out


def test_figures_are_drawn(here: Callable[..., Done], bundle_path: Path, mvtec: Path, tmp_path: Path) -> None:
    out = tmp_path / "figures"
    few = ("--rows", 1, "--vectors", 20, "--projection", "pca", "--device", "cpu")
    done = here("figures", bundle_path, mvtec, "--out", out, *few)
    assert done.status == 0, done.err
    names = {p.name for p in out.iterdir()}
    assert {"patches.png", "pictures.png", "scores.png", "sheet-plain-best.png"} <= names
    assert all(name in done.err for name in names)


def test_a_model_is_timed(here: Callable[..., Done], bundle_path: Path) -> None:
    done = here("benchmark", bundle_path, "--batch", 1, "--rounds", 1, "--device", "cpu")
    assert done.status == 0, done.err
    for part in ("tf_efficientnet_lite0", "whole detector", "tiles of 512 px per second"):
        assert part in done.out


@pytest.mark.parametrize("arguments", [["--help"], []])
def test_help_and_no_command_list_the_commands(here: Callable[..., Done], arguments: list[str]) -> None:
    done = here(*arguments)
    for command in ("train", "evaluate", "show", "benchmark"):
        assert command in done.out + done.err


# Mistakes


def test_missing_data_say_what_was_expected(here: Callable[..., Done], tmp_path: Path) -> None:
    done = here("train", tmp_path / "gone", "--out", tmp_path / "a.cras")
    assert_is_a_mistake(done, "gone is not a folder", "<fabric>/train/good", "<fabric>/normal")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_bundle_says_so(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("no bundle")
    assert_is_a_mistake(cras("show", tmp_path / "letter.txt"), "letter.txt is cut off or no bundle at all")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--preset", "silk"], ["there is no preset 'silk'", "cloth", "paper"]),
        (["--preset", "[/silk]"], ["there is no preset '[/silk]'"]),
        (["--set", "train.epoch=5"], ["unknown setting train.epoch", "train.epochs"]),
        (["--set", "train.epochs"], ["--set takes section.name=value, not 'train.epochs'"]),
        (["--set", "train.epochs=0"], ["train.epochs must be 1 or more, not 0"]),
        (["--set", "train.epochs=2.5"], ["train"]),
        (["--set", "train.seed=abc"], ["seed"]),
        (["--seed", "-1"], ["seed"]),
        (["--mm-per-px", "nan"], ["mm_per_px"]),
        (["--backbone", "no_such_network"], ["timm offers no network 'no_such_network'"]),
        (["--weights", "gone.pth"], ["There is no file of weights at gone.pth", "--weights FILE"]),
        (["--weights", "package:"], ["package"]),
        (["--device", "toaster"], ["The device toaster cannot be used here"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_mistaken_option_is_named(
    here: Callable[..., Done], data: Path, tmp_path: Path, arguments: list[str], parts: list[str]
) -> None:
    done = here("train", data, "--out", tmp_path / "a.cras", *TINY, "--epochs", 1, *arguments)
    assert_is_a_mistake(done, *parts)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["show", "evaluate", "benchmark"])
def test_a_missing_bundle_is_named_as_it_was_typed(here: Callable[..., Done], tmp_path: Path, command: str) -> None:
    done = here(command, tmp_path / "[green] cloth.cras", *([tmp_path] if command == "evaluate" else []))
    assert_is_a_mistake(done, "There is no bundle at", "[green] cloth.cras")


def test_a_report_that_cannot_be_written_is_named(
    here: Callable[..., Done], bundle_path: Path, mvtec: Path, tmp_path: Path
) -> None:
    done = here("evaluate", bundle_path, mvtec, "--json", tmp_path, "--device", "cpu")
    assert_is_a_mistake(done, f"{tmp_path} cannot be written")


def test_a_place_that_cannot_be_written_is_named(here: Callable[..., Done], data: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    done = here("train", data, "--out", tmp_path / "file" / "a.cras", "--epochs", 1, *TINY)
    assert_is_a_mistake(done, "a.cras cannot be written", "Choose another place")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process")
def test_ctrl_c_stops_without_a_bundle(data: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cras_core", "train", str(data), "--out", str(tmp_path / "a.cras")]
    endless = ["--epochs", "1000000", "--set", "train.patience=null"]
    process = subprocess.Popen(
        [*command, *endless, *TINY], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    )
    assert process.stderr is not None
    said = process.stderr.readline()  # said when training begins
    assert "pictures of normal cloth" in said
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=60)
    assert process.returncode == 130, rest
    assert "Traceback" not in rest
    assert list(tmp_path.iterdir()) == []
