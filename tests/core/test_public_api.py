"""The detector for somebody in a notebook: a few names, loaded when they are asked for."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from shared import copy_strips

import cras_core
from cras_core import Detector, load, score_image, train
from cras_core.errors import ConfigError, CrasError, DataError
from cras_core.evaluation.webs import inspect_strip
from cras_core.images import list_images, read_image

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "notebook.py"


@pytest.fixture
def mill(loom_data: Path, tmp_path: Path) -> Path:
    """A folder with one fabric: three short strips of good cloth and one with a defect."""
    copy_strips(loom_data, tmp_path / "mill", "plain", 1)
    (tmp_path / "mill" / "plain" / "normal").mkdir()
    for path in list_images(loom_data / "plain" / "normal")[:3]:
        Image.fromarray(read_image(path)[:256]).save(tmp_path / "mill" / "plain" / "normal" / path.name)
    return tmp_path


def test_the_example_of_the_documents_runs_line_by_line(
    mill: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(mill)
    names = runpy.run_path(str(EXAMPLE))
    found = names["found"]
    picture = read_image(mill / "mill/plain/defect/plain_000.png")
    assert found.anomaly_map.shape == picture.shape[:2]
    assert found.fabric == "plain"
    mask = read_image(mill / "mill/plain/mask/plain_000.png") > 0
    assert found.score == np.nanmax(found.anomaly_map[mask]) > 1.0, "the defect is what stands out"
    assert "plain: score " in capsys.readouterr().out
    assert isinstance(names["detector"], Detector)


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, cras_core\nassert cras_core.__version__ and 'train' in dir(cras_core)\n"
        "print(sorted({'torch', 'timm', 'numpy', 'cv2', 'pydantic'} & set(sys.modules)))\n"
        "from cras_core import load\nprint('torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "True"]


def test_every_name_is_there_and_no_other() -> None:
    for name in cras_core.__all__:
        assert getattr(cras_core, name) is not None
    with pytest.raises(AttributeError, match="'cras_core' has no attribute 'colour'"):
        cras_core.colour  # noqa: B018


def test_a_picture_is_scored_as_the_line_scores_a_web(bundle_path: Path, loom_data: Path) -> None:
    detector = load(bundle_path, "cpu")
    path = list_images(loom_data / "twill" / "defect")[0]
    found = score_image(detector, path)
    rows, fabric = inspect_strip(detector, read_image(path), None)
    assert found.fabric == detector.fabrics[fabric or 0] == "twill"
    # Pixels lie between the cells, so the largest of them is a little less.
    assert found.score == pytest.approx(max(float(np.nanmax(r.score)) for r in rows), rel=0.1)
    assert np.isnan(found.anomaly_map).any(), "beside the cloth nothing is inspected"
    colour = np.repeat(read_image(path)[:, :, None], 3, axis=2)
    np.testing.assert_allclose(score_image(detector, colour, "twill").anomaly_map, found.anomaly_map, atol=0.05)


def test_what_cannot_be_scored_says_why(bundle_path: Path) -> None:
    detector = load(bundle_path, "cpu")
    with pytest.raises(ConfigError, match="does not know 'denim'; it knows plain, twill"):
        score_image(detector, np.zeros((256, 256), np.uint8), "denim")
    with pytest.raises(DataError, match=r"a picture is \(H, W\) or \(H, W, 3\) of uint8, not \(256, 256\) of float64"):
        score_image(detector, np.zeros((256, 256)))  # type: ignore[arg-type]
    with pytest.raises(DataError, match="there is no such file"):
        score_image(detector, "nowhere.png")
    assert np.isnan(score_image(detector, np.zeros((40, 40), np.uint8)).score), "too small to hold cloth"


def test_what_cannot_be_trained_says_why(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no preset 'silk'; known are cloth"):
        train(tmp_path, preset="silk")
    with pytest.raises(ConfigError, match=r"train\.epochs must be 1 or more, not 0"):
        train(tmp_path, settings={"train.epochs": 0})
    with pytest.raises(CrasError, match="is not a folder"):
        train(tmp_path / "gone")
