"""What several tests share: an offscreen Qt, a small real model, and real cloth where the machine has it."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path

if os.name == "posix":  # a screen as small as those at a loom; the one of the plugin is smaller still
    _SCREEN = Path(__file__).with_name("screen.json")
    os.environ.setdefault("QT_QPA_PLATFORM", f"offscreen:configfile={_SCREEN}")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# Threads of torch wait for each other in a busy loop: on a machine that does other work they cost four times the time.
os.environ.setdefault("OMP_NUM_THREADS", "1")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A job in the background ignores Ctrl-C, and so would every program that the tests start and interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)

import pytest
import torch
from hypothesis import settings
from shared import SMALL, Shared

from aoi_app.sources.loom_data import write_data_set
from aoi_app.ui.widgets.platform import prepare_qt
from cras_core.config.presets import cloth
from cras_core.config.reading import with_settings
from cras_core.data.folders import find_normal_images
from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import FabricRecord, Sample
from cras_core.detectors.cras.detector import CrasDetector
from cras_core.images import list_images, read_image
from cras_core.registry.bundle import Bundle, write_bundle

prepare_qt()  # before pytest-qt makes the application

settings.register_profile("shared machine", deadline=None)  # no test is about how fast the machine is
settings.load_profile("shared machine")


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the records and settings of whoever runs it."""
    home = tmp_path_factory.mktemp("home")
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(home))


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """A model that is loaded for a line takes all cores; the tests after it, in two processes, would fight for them."""
    yield
    torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="module")
def _what_outlives_a_file_is_not_searched_again() -> Iterator[None]:
    """Every later collection of garbage would look through all that libraries, windows and models have left by then: it
    made the last tests of a run six times slower.
    """
    yield
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """What all processes of this run make once."""
    return Shared(tmp_path_factory, os.environ.get("PYTEST_XDIST_WORKER"))


@pytest.fixture(scope="session")
def loom_data(shared: Shared) -> Path:
    """``<weave>/normal``, ``<weave>/defect`` and ``<weave>/mask`` from the built-in loom."""
    return shared.folder("loom", lambda root: write_data_set(root, strips=6, lines=512, width_px=1024, seed=7))


@pytest.fixture(scope="session")
def bundle(loom_data: Path, shared: Shared) -> Bundle:
    """A small model of the loom's cloth, really trained."""
    normal = [n for n in find_normal_images(loom_data) if n.fabric in ("plain", "twill")]
    return shared.model(normal, with_settings(cloth(), SMALL))


@pytest.fixture(scope="session")
def bundle_path(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small model as a file."""
    path = tmp_path_factory.mktemp("bundle") / "small.cras"
    write_bundle(bundle, path)
    return path


@pytest.fixture(scope="session")
def inspector(bundle_path: Path) -> CrasDetector:
    """The small model, ready."""
    return CrasDetector.load(bundle_path, "cpu")


@pytest.fixture(scope="session")
def aitex() -> Path:
    """Real strips, AITEX fabrics as ``fabric_NN/{normal,defect,mask}``; tests that need them skip without."""
    root = os.environ.get("AITEX_ROOT")
    if not root or not Path(root).is_dir():
        pytest.skip("real cloth is not here: set AITEX_ROOT to a folder of fabric_NN/{normal,defect,mask}")
    return Path(root)


@pytest.fixture(scope="session")
def cloth_samples(loom_data: Path, tmp_path_factory: pytest.TempPathFactory) -> SampleStore:
    """Samples of two weaves that the small model knows and of satin, which it does not. Copy it to change it."""
    store = SampleStore(tmp_path_factory.mktemp("samples") / "library")
    for weave in ("plain", "twill", "satin"):
        store.begin(FabricRecord(weave))
        for i, path in enumerate(list_images(loom_data / weave / "normal")):
            strip = read_image(path)
            for left in (300, 560):
                sample = Sample(f"w{i}-{left}", weave, "collected", f"web-{i}", left_px=left)
                store.add(sample, strip[:256, left : left + 256])
    return store
