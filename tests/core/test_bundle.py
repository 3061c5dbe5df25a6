"""The model file: whole, checked, and with nothing in it that could run."""

from __future__ import annotations

import dataclasses
import json
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save_file

from cras_core.config.presets import cloth
from cras_core.config.reading import with_settings
from cras_core.data.folders import find_good_cloth
from cras_core.detectors.cras.detector import CrasDetector
from cras_core.errors import BundleError
from cras_core.registry.bundle import FORMAT, VERSION, Bundle, read_bundle, write_bundle
from cras_core.training.train import train
from cras_core.web.calibration import FabricCalibration


def made_bundle() -> Bundle:
    """A bundle with everything a bundle can hold, of a few hundred bytes."""
    generator = torch.Generator().manual_seed(0)
    return Bundle(
        config=with_settings(cloth(), {"train.seed": "3", "patches.dimension": "32", "edges.from_edge_px": "40"}),
        weights_hash="ab" * 32,
        calibrations=(
            FabricCalibration("denim", 0.1, 0.8, 4.0, 3.5, 2.0, 1.5),
            FabricCalibration("toile à voile №2", -0.3, 1.8, 7.0, 6.5, 1.0, 0.5),
        ),
        grid=(2, 3),
        tensors={
            "mean": torch.randn(8, generator=generator),
            "adapter.linear.weight": torch.randn(8, 8, generator=generator),
            "centers.0": torch.randn(6, 8, generator=generator),
            "discriminator.layers.1.num_batches_tracked": torch.tensor(7),
        },
        provenance={"program": "cras 0", "warnings": ["größer als sonst"], "loss": [{"epoch": 1, "loss": 0.5}]},
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A bundle on disk."""
    write_bundle(made_bundle(), tmp_path / "a.cras")
    return tmp_path / "a.cras"


def metadata_of(path: Path) -> dict[str, str]:
    with safe_open(path, framework="pt") as file:
        return dict(file.metadata())


def rewritten(path: Path, **metadata: str) -> Path:
    """The same file with other metadata."""
    tensors = made_bundle().tensors
    known = metadata_of(path) | metadata
    save_file(tensors, path, metadata=known)
    return path


def with_header(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    header = json.loads(metadata_of(path)["header"])
    change(header)
    return rewritten(path, header=json.dumps(header))


# There and back


def test_what_was_written_is_read_again(path: Path) -> None:
    written, read = made_bundle(), read_bundle(path)
    for field in dataclasses.fields(Bundle):
        if field.name != "tensors":
            assert getattr(read, field.name) == getattr(written, field.name), field.name
    assert read.tensors.keys() == written.tensors.keys()
    for name, tensor in written.tensors.items():
        assert torch.equal(read.tensors[name], tensor)
        assert read.tensors[name].dtype == tensor.dtype
    assert read.identity == written.identity
    assert read.fabrics == ("denim", "toile à voile №2")


def test_the_trained_model_is_read_as_it_was(loom_data: Path, tmp_path: Path) -> None:
    normal = find_good_cloth(loom_data, "plain")
    few = dataclasses.replace(normal, paths=normal.paths[:3])
    quick = {"backbone.input_scale": "1.0", "train.epochs": "1", "synthesis.drawn": "0.0", "centers.refreshes": "0"}
    made = train([few], with_settings(cloth(), quick), "cpu")
    write_bundle(made, tmp_path / "made.cras")
    read = read_bundle(tmp_path / "made.cras")
    assert read.identity == made.identity
    assert read.config == made.config
    assert read.calibrations == made.calibrations
    assert all(torch.equal(read.tensors[k], v) for k, v in made.tensors.items())


def test_tensors_that_lie_crosswise_in_memory_are_written_too(tmp_path: Path) -> None:
    bundle = made_bundle()
    crosswise = torch.arange(12.0).reshape(3, 4).T
    write_bundle(dataclasses.replace(bundle, tensors={"x": crosswise}), tmp_path / "a.cras")
    assert torch.equal(read_bundle(tmp_path / "a.cras").tensors["x"], crosswise)


def test_a_bundle_is_safetensors_and_no_pickle(bundle_path: Path) -> None:
    content = bundle_path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    assert header["__metadata__"]["format"] == FORMAT
    assert header["__metadata__"]["version"] == str(VERSION)
    assert len(content) == 8 + length + max(t["data_offsets"][1] for k, t in header.items() if k != "__metadata__")
    assert b"PK\x03\x04" not in content[:8]
    assert not content.startswith(b"\x80")


def test_folders_that_are_missing_are_made(tmp_path: Path) -> None:
    write_bundle(made_bundle(), tmp_path / "models" / "today" / "a.cras")
    assert read_bundle(tmp_path / "models" / "today" / "a.cras").identity == made_bundle().identity


# Identity


def test_the_same_content_has_the_same_identity() -> None:
    assert made_bundle().identity == made_bundle().identity
    assert len(made_bundle().identity) == 12
    told_otherwise = dataclasses.replace(made_bundle(), provenance={"made_at": "another day"})
    assert told_otherwise.identity == made_bundle().identity


def changed_tensor(bundle: Bundle) -> dict[str, torch.Tensor]:
    moved = bundle.tensors["mean"].clone()
    moved[0] = torch.nextafter(moved[0], torch.tensor(9.0))
    return bundle.tensors | {"mean": moved}


@pytest.mark.parametrize(
    "change",
    [
        lambda b: {"tensors": changed_tensor(b)},
        lambda b: {"tensors": b.tensors | {"mean": b.tensors["mean"].reshape(2, 4)}},
        lambda b: {"tensors": b.tensors | {"mean": b.tensors["mean"].double()}},
        lambda b: {"tensors": {("other" if k == "mean" else k): v for k, v in b.tensors.items()}},
        lambda b: {"config": with_settings(b.config, {"score.smooth_px": "3.9"})},
        lambda b: {"weights_hash": "ac" * 32},
        lambda b: {"calibrations": (dataclasses.replace(b.calibrations[0], limit=4.001), b.calibrations[1])},
        lambda b: {"calibrations": b.calibrations[::-1]},
        lambda b: {"grid": (3, 2)},
    ],
    ids=["value", "shape", "type", "name", "setting", "weights", "limit", "order", "grid"],
)
def test_whatever_decides_changes_the_identity(change: Callable[[Bundle], dict[str, Any]]) -> None:
    bundle = made_bundle()
    assert dataclasses.replace(bundle, **change(bundle)).identity != bundle.identity


# Files that are no bundle


def test_a_missing_bundle_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"There is no bundle at .*a\.cras\.") as caught:
        read_bundle(tmp_path / "a.cras")
    assert caught.value.hint == "Train one: cras train DATA --out a.cras"


def test_a_folder_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="cannot be read: it is not a regular file"):
        read_bundle(tmp_path)


def test_safetensors_of_something_else_are_no_bundle(tmp_path: Path) -> None:
    for metadata in (None, {"format": "pt"}, {"version": "1"}):
        save_file({"x": torch.zeros(3)}, tmp_path / "a.cras", metadata=metadata)
        with pytest.raises(BundleError, match=r"a\.cras is no bundle of this program\.") as caught:
            read_bundle(tmp_path / "a.cras")
        assert caught.value.hint.startswith("Train one: cras train")


@given(st.binary(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_bytes_are_no_bundle(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.cras").write_bytes(content)
    with pytest.raises(BundleError, match=r"a\.cras"):
        read_bundle(tmp_path / "a.cras")


@pytest.mark.parametrize("part", [0.0, 0.001, 0.01, 0.1, 0.5, 0.9, 0.999])
def test_a_bundle_that_was_cut_off_says_so(bundle_path: Path, tmp_path: Path, part: float) -> None:
    content = bundle_path.read_bytes()
    short = tmp_path / "short.cras"
    short.write_bytes(content[: int(part * len(content))])
    with pytest.raises(BundleError, match=r"short\.cras"):
        read_bundle(short)
    short.write_bytes(content[:-1])
    with pytest.raises(BundleError, match=r"short\.cras is cut off or no bundle at all.*Copy it anew or train again"):
        read_bundle(short)


def test_bytes_behind_the_end_are_not_accepted(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(BundleError, match=r"a\.cras"):
        read_bundle(path)


def test_a_flipped_byte_in_a_tensor_fails_the_checksum(path: Path) -> None:
    whole = path.read_bytes()
    (length,) = struct.unpack("<Q", whole[:8])
    for position in range(8 + length, len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 0x10
        path.write_bytes(bytes(damaged))
        with pytest.raises(BundleError, match=r"is damaged: its contents do not match their checksum\. Copy it anew"):
            read_bundle(path)


def test_a_flipped_byte_anywhere_is_noticed(path: Path) -> None:
    """A limit that has become another number would decide over cloth without anybody knowing."""
    whole = path.read_bytes()
    (length,) = struct.unpack("<Q", whole[:8])
    unnoticed = []
    for position in range(0, 8 + length, 3):
        damaged = bytearray(whole)
        damaged[position] ^= 0x01
        path.write_bytes(bytes(damaged))
        try:
            read_bundle(path)
        except BundleError:
            continue
        unnoticed.append(whole[max(0, position - 20) : position + 20])
    assert not unnoticed, f"{len(unnoticed)} of {(8 + length) // 3} bytes, such as the middle one of {unnoticed[:3]}"


# Other versions and other contents


@pytest.mark.parametrize(
    ("version", "way_out"),
    [(str(VERSION + 1), "Update this program"), ("17", "Update this program"), ("0", "Train again with this program")],
)
def test_another_version_says_what_to_do(path: Path, version: str, way_out: str) -> None:
    rewritten(path, version=version)
    with pytest.raises(
        BundleError, match=f"is a bundle of version {version}; this program reads version {VERSION}"
    ) as e:
        read_bundle(path)
    assert way_out in str(e.value)
    assert ("Update" in str(e.value)) == (way_out == "Update this program")


def test_a_newer_version_is_told_before_anything_else_of_it_is_read(path: Path) -> None:
    rewritten(path, version=str(VERSION + 1), header="something new")
    with pytest.raises(BundleError, match="Update this program to open it"):
        read_bundle(path)


@pytest.mark.parametrize("header", ["", "{", "null", "3", "[]", "{}", '"text"'])
def test_a_header_that_is_none_is_refused(path: Path, header: str) -> None:
    rewritten(path, header=header)
    with pytest.raises(BundleError, match=r"a\.cras"):
        read_bundle(path)


@pytest.mark.parametrize("part", ["config", "weights_hash", "calibrations", "grid", "provenance"])
def test_a_header_that_lacks_a_part_is_refused(path: Path, part: str) -> None:
    with_header(path, lambda header: header.pop(part))
    with pytest.raises(BundleError, match=r"a\.cras"):
        read_bundle(path)


@pytest.mark.parametrize("part", ["config", "weights_hash", "calibrations", "grid"])
@pytest.mark.parametrize("value", [None, 7, "text", [], [7], {}])
def test_a_header_with_another_part_is_refused(path: Path, part: str, value: object) -> None:
    with_header(path, lambda header: header.update({part: value}))
    with pytest.raises(BundleError, match=r"a\.cras"):
        read_bundle(path)


def test_a_limit_that_was_edited_is_noticed(path: Path) -> None:
    with_header(path, lambda header: header["calibrations"][0].update(limit=400.0))
    with pytest.raises(BundleError, match=r"is damaged: its contents do not match their checksum"):
        read_bundle(path)


def test_settings_that_this_program_does_not_know_are_refused(path: Path) -> None:
    with_header(path, lambda header: header["config"]["train"].update(warp_speed=9))
    with pytest.raises(BundleError, match=r"a\.cras"):
        read_bundle(path)


@pytest.mark.parametrize("old", ['"centre": 0.1', '"seed": 3', '"program": "cras 0"'])
@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999", "1" * 5000, "[" * 5000])
def test_a_number_that_is_none_is_refused_wherever_it_stands(
    path: Path, monkeypatch: pytest.MonkeyPatch, old: str, value: str
) -> None:
    made, header = made_bundle(), metadata_of(path)["header"]
    assert old in header
    with monkeypatch.context() as patch:  # whoever writes it takes care of the checksum
        patch.setattr(json, "dumps", lambda *_, **__: header.replace(old, f"{old.partition(':')[0]}: {value}"))
        write_bundle(made, path)
    with pytest.raises(BundleError, match=r"a\.cras does not hold what a bundle") as caught:
        read_bundle(path)
    assert len(str(caught.value)) < 600


def test_a_tensor_that_holds_no_numbers_is_refused(path: Path) -> None:
    made = made_bundle()
    for value in (float("nan"), float("inf")):
        made.tensors["mean"][3] = value
        write_bundle(made, path)
        with pytest.raises(BundleError, match="its tensor mean holds values that are no numbers"):
            read_bundle(path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not let a file be shortened that is open")
def test_a_file_that_somebody_shortens_meanwhile_does_not_end_the_program(bundle_path: Path, tmp_path: Path) -> None:
    """A memory map would: the system answers with a signal."""
    code = (
        "import os, sys, threading\nfrom pathlib import Path\n"
        "from cras_core.errors import BundleError\nfrom cras_core.registry.bundle import read_bundle\n"
        "path = Path(sys.argv[1]); data = path.read_bytes(); done = threading.Event()\n"
        "def spoil():\n"
        "    while not done.is_set():\n"
        "        os.truncate(path, 100); path.write_bytes(data)\n"
        "thread = threading.Thread(target=spoil); thread.start(); read = refused = 0\n"
        "while read < 20 or refused < 20:\n"
        "    try: read_bundle(path); read += 1\n"
        "    except BundleError: refused += 1\n"
        "done.set(); thread.join(); print('alive')\n"
    )
    path = tmp_path / "a.cras"
    path.write_bytes(bundle_path.read_bytes())
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr


# Bundles that do not fit what is installed


@pytest.mark.parametrize(
    "name",
    [
        *("mean", "std", "means", "centers.0", "centers.1", "adapter.linear.bias", "scale.residual_spread"),
        *("discriminator.layers.0.weight", "discriminator.layers.4.running_var", "discriminator.layers.6.weight"),
    ],
)
def test_every_tensor_is_needed(bundle: Bundle, name: str) -> None:
    lacking = dataclasses.replace(bundle, tensors={k: v for k, v in bundle.tensors.items() if k != name})
    assert len(lacking.tensors) == len(bundle.tensors) - 1
    with pytest.raises(BundleError, match="tensors do not fit its settings"):
        CrasDetector.from_bundle(lacking, "cpu")


@pytest.mark.parametrize("name", ["mean", "std", "adapter.linear.weight", "discriminator.layers.0.weight"])
def test_tensors_of_another_size_are_refused(bundle: Bundle, name: str) -> None:
    tensor = bundle.tensors[name]
    longer = dataclasses.replace(bundle, tensors=bundle.tensors | {name: torch.cat([tensor, tensor[:1]])})
    with pytest.raises(BundleError, match="tensors do not fit its settings"):
        CrasDetector.from_bundle(longer, "cpu")


def test_a_bundle_for_other_weights_says_so(bundle: Bundle) -> None:
    other = dataclasses.replace(bundle, weights_hash="0123456789abcdef" * 4)
    with pytest.raises(BundleError) as caught:
        CrasDetector.from_bundle(other, "cpu")
    message = str(caught.value)
    assert "was trained on weights 0123456789ab of tf_efficientnet_lite0" in message
    assert f"gives {bundle.weights_hash[:12]}" in message
    assert "Install the same weights or train again" in message


# Writing


def test_an_unwritable_place_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(BundleError, match=r"a\.cras cannot be written: .*Choose another place or free some space"):
        write_bundle(made_bundle(), tmp_path / "file" / "a.cras")
    (tmp_path / "folder").mkdir()
    with pytest.raises(BundleError, match="folder cannot be written"):
        write_bundle(made_bundle(), tmp_path / "folder")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_full_disk_leaves_the_old_bundle_whole(path: Path, bundle_path: Path) -> None:
    before = path.read_bytes()
    code = (
        "import resource, sys\nfrom pathlib import Path\n"
        "from cras_core.registry.bundle import read_bundle, write_bundle\nfrom cras_core.errors import BundleError\n"
        "bundle = read_bundle(Path(sys.argv[1]))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n"
        "try: write_bundle(bundle, Path(sys.argv[2]))\nexcept BundleError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(bundle_path), str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "cannot be written: File too large" in done.stdout
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]
