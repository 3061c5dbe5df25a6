"""``cras samples STORE ...``, as a person types it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cras_core.__main__ import app
from cras_core.data.samples.store import SampleStore
from cras_core.errors import CrasError, DataError


def cras(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["samples", *map(str, arguments)], catch_exceptions=True)
    if isinstance(result.exception, CrasError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def store(mvtec: Path, tmp_path: Path) -> Path:
    """One fabric of six tiles of one roll."""
    cras(tmp_path / "store", "add", "plain", mvtec / "plain" / "train" / "good", "--web", "roll 7")
    return tmp_path / "store"


def test_a_store_is_filled_judged_and_carried_elsewhere(
    store: Path, mvtec: Path, bundle_path: Path, tmp_path: Path
) -> None:
    assert "14 more tiles" in cras(store, "coverage", "plain")
    with pytest.raises(DataError, match="6 samples are too few"):
        cras(store, "judge", bundle_path, "plain")
    cras(store, "add", "plain", mvtec / "plain" / "test" / "good", "--web", "roll 8")
    assert "of 9 samples should be looked at" in cras(store, "judge", bundle_path, "plain")
    assert all(s.suspicion is not None for s in SampleStore(store).samples("plain"))
    cras(store, "export", "plain", tmp_path / "plain.fabric")
    cras(tmp_path / "other", "import", tmp_path / "plain.fabric", "--as", "poplin")
    assert [len(SampleStore(tmp_path / "other").samples("poplin"))] == [9]
    assert "poplin" in cras(tmp_path / "other", "list")


def test_data_sets_come_in_and_go_out(mvtec: Path, tmp_path: Path) -> None:
    cras(tmp_path / "store", "import-itdd", mvtec, "--mm-per-px", 0.4)
    assert "plain" in cras(tmp_path / "store", "list")
    shown = cras(tmp_path / "store", "export-itdd", tmp_path / "set", "--fabric", "twill")
    assert "twill" in shown
    assert "plain" not in shown
    assert sorted(p.name for p in (tmp_path / "set").iterdir()) == ["README.md", "card.json", "twill"]


def test_mistakes_are_one_clear_message(store: Path, mvtec: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere is not a folder; name the store"):
        cras(tmp_path / "nowhere", "list")
    with pytest.raises(DataError, match="no fabric 'jute'; it has plain"):
        cras(store, "coverage", "jute")
    with pytest.raises(DataError, match="holds no pictures; in it are: plain/, twill/"):
        cras(store, "add", "plain", mvtec)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.png").write_bytes(b"hello")
    with pytest.raises(DataError, match=r"0 tiles added. Not usable: .*a\.png: not a readable picture"):
        cras(store, "add", "new", tmp_path / "bad")
    assert [f.name for f in SampleStore(store).fabrics()] == ["plain"]
