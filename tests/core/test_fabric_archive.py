"""A fabric in one file: what was in it comes out again, and what is wrong with a file is refused as a whole."""

import io
import json
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cras_core.data.samples import archive as fabric_archive
from cras_core.data.samples.archive import export_fabric, import_fabric
from cras_core.data.samples.labels import Label
from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import FabricRecord, Sample
from cras_core.errors import DataError

NAME = "denim, 12 oz"
HOLE = Label("box", ((4.0, 5.0), (10.0, 9.0)), "hole")


@pytest.fixture
def store(tmp_path: Path) -> SampleStore:
    store = SampleStore(tmp_path / "here")
    store.begin(FabricRecord(NAME, author="Ida", note="Köper", recipe={"mm_per_px": 0.1}))
    rng = np.random.default_rng(0)
    for i, more in enumerate([{}, {"labels": (HOLE,)}, {"choice": "thrown out"}, {"suspicion": 1.5}]):
        image = rng.integers(0, 255, (64, 48, 3) if i == 1 else (64, 48), np.uint8)
        store.add(Sample(f"s{i}", NAME, "collected", "roll 1", first_line=i, **more), image)  # type: ignore[arg-type]
    return store


@pytest.fixture
def there(tmp_path: Path) -> SampleStore:
    return SampleStore(tmp_path / "there")


def test_what_was_exported_comes_in_again(store: SampleStore, there: SampleStore, tmp_path: Path) -> None:
    assert export_fabric(store, NAME, tmp_path / "out" / "denim.fabric") == 4
    assert import_fabric(tmp_path / "out" / "denim.fabric", there) == store.fabric(NAME)
    assert there.samples(NAME) == store.samples(NAME)
    for sample in store.samples(NAME):
        assert there.image_path(sample).read_bytes() == store.image_path(sample).read_bytes()
    with pytest.raises(DataError, match="There is a fabric 'denim, 12 oz' already"):
        import_fabric(tmp_path / "out" / "denim.fabric", there)
    assert import_fabric(tmp_path / "out" / "denim.fabric", there, as_name="jeans").name == "jeans"
    assert {s.fabric for s in there.samples("jeans")} == {"jeans"}
    assert there.problems() == []
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["denim.fabric"]


def test_what_was_begun_and_stopped_leaves_nothing(store: SampleStore, there: SampleStore, tmp_path: Path) -> None:
    path = tmp_path / "denim.fabric"
    for kind, run in (
        ("export", lambda **k: export_fabric(store, NAME, path, **k)),
        ("import", lambda **k: import_fabric(path, there, **k)),
    ):
        done: list[int] = []
        if kind == "import":
            export_fabric(store, NAME, path)
        with pytest.raises(DataError, match=f"The {kind} was stopped"):
            run(on_progress=lambda _, n, __, done=done: done.append(n), should_stop=lambda done=done: len(done) == 2)
        assert path.exists() == (kind == "import")
    assert is_untouched(there)


def is_untouched(store: SampleStore) -> bool:
    return store.fabrics() == [] and (not store.root.exists() or list(store.root.iterdir()) == [])


def test_a_disk_that_is_full_is_said(
    store: SampleStore, there: SampleStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    export_fabric(store, NAME, tmp_path / "a.fabric")
    monkeypatch.setattr("cras_core.data.samples.files.write_atomically", full)
    with pytest.raises(DataError, match="No space left on device"):
        import_fabric(tmp_path / "a.fabric", there)
    assert is_untouched(there)
    monkeypatch.setattr(zipfile.ZipFile, "write", full)
    with pytest.raises(DataError, match=r"b\.fabric cannot be written: No space left on device"):
        export_fabric(store, NAME, tmp_path / "b.fabric")
    assert not (tmp_path / "b.fabric").exists()


Entries = dict[str, bytes]


def rewritten(path: Path, change: Callable[[Entries], None]) -> None:
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)


def edited(entries: Entries, name: str, /, **more: object) -> None:
    entries[name] = json.dumps(json.loads(entries[name]) | more).encode()


def without(entries: Entries, *names: str) -> None:
    for name in names:
        del entries[name]


def huge_png(width: int, height: int) -> bytes:
    """A few hundred bytes that say that they are a very large picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 500)) + chunk(b"IEND", b"")
    )


def as_jpeg(data: bytes) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.open(io.BytesIO(data)).convert("L").save(out, "JPEG")
    return out.getvalue()


CHANGES: dict[str, tuple[str, Callable[[Entries], None]]] = {
    "a name that climbs": ("has no place", lambda e: e.update({"samples/../../x.png": b"x"})),
    "a name that climbs at once": ("has no place", lambda e: e.update({"../x": b"x"})),
    "an absolute name": ("has no place", lambda e: e.update({"/etc/x.json": b"x"})),
    "a name of another system": ("has no place", lambda e: e.update({"samples\\..\\x.png": b"x"})),
    "a drive": ("has no place", lambda e: e.update({"C:/x.png": b"x"})),
    "a hidden file": ("has no place", lambda e: e.update({"samples/.x.png": b"x"})),
    "a file of another kind": ("has no place", lambda e: e.update({"samples/x.exe": b"x"})),
    "no text": ("not whole, samples/s1.json missing", lambda e: without(e, "samples/s1.json")),
    "no picture": ("not whole, samples/s1.png missing", lambda e: without(e, "samples/s1.png")),
    "a sample less": ("not whole, samples missing", lambda e: without(e, "samples/s1.png", "samples/s1.json")),
    "no fabric": ("a zip of something else", lambda e: without(e, "fabric.json")),
    "no head": ("a zip of something else", lambda e: without(e, "archive.json")),
    "another format": ("a zip of something else", lambda e: edited(e, "archive.json", format="x")),
    "a newer archive": ("version 2, this program reads 1; update", lambda e: edited(e, "archive.json", version=2)),
    "a newer fabric": ("Update this program", lambda e: edited(e, "fabric.json", version=2)),
    "a fabric with a bad name": ("cannot be called", lambda e: edited(e, "fabric.json", name="a\nb")),
    "a fabric with odd texts": ("note must be a text, not 3", lambda e: edited(e, "fabric.json", note=3)),
    "a fabric with odd fields": (r"unknown value .*colour", lambda e: edited(e, "fabric.json", colour=3)),
    "a sample with odd values": (
        "first_line must be a whole number, not 'x'",
        lambda e: edited(e, "samples/s0.json", first_line="x"),
    ),
    "a sample with an odd label": (
        r"labels\.0\.outline must be",
        lambda e: edited(e, "samples/s0.json", labels=[{"outline": "star"}]),
    ),
    "text that is none": ("is not JSON", lambda e: e.update({"samples/s0.json": b"\xff\xfe"})),
    "text that is too deep": ("is not JSON", lambda e: e.update({"samples/s0.json": b"[" * 9000})),
    "a list": ("it must hold further", lambda e: e.update({"samples/s0.json": b"[]"})),
    "a picture that is none": ("is no PNG", lambda e: e.update({"samples/s0.png": b"hello"})),
    "a picture of another format": ("is no PNG", lambda e: e.update({"samples/s0.png": as_jpeg(e["samples/s0.png"])})),
    "a picture cut off": ("damaged", lambda e: e.update({"samples/s0.png": e["samples/s0.png"][:300]})),
    "a huge picture": ("20000 x 20000 px large", lambda e: e.update({"samples/s0.png": huge_png(20000, 20000)})),
    "a picture larger than any memory": (
        "60000 x 60000 px large",
        lambda e: e.update({"samples/s0.png": huge_png(60000, 60000)}),
    ),
    "a bomb": ("very much more than it holds", lambda e: e.update({"samples/s0.json": b"0" * 4_000_000})),
    "a large text": ("MiB large", lambda e: e.update({"samples/s0.json": b"0" * 5_000_000})),
}


@pytest.mark.parametrize("what", CHANGES)
def test_an_archive_that_is_not_as_it_should_be_is_refused(
    what: str, store: SampleStore, there: SampleStore, tmp_path: Path
) -> None:
    path = tmp_path / "denim.fabric"
    export_fabric(store, NAME, path)
    text, change = CHANGES[what]
    rewritten(path, change)
    outside = {p for p in tmp_path.rglob("*") if there.root not in p.parents}
    with pytest.raises(DataError, match=text) as error:
        import_fabric(path, there)
    assert "denim.fabric" in str(error.value)
    assert is_untouched(there)
    assert {p for p in tmp_path.rglob("*") if there.root not in p.parents} - {there.root} == outside - {there.root}


def test_links_folders_doubles_and_encrypted_entries_are_refused(
    store: SampleStore, there: SampleStore, tmp_path: Path
) -> None:
    path = tmp_path / "denim.fabric"

    def refused(text: str, *added: tuple[zipfile.ZipInfo, bytes], encrypted: bool = False) -> None:
        export_fabric(store, NAME, path)
        with zipfile.ZipFile(path, "a") as archive:
            for info, data in added:
                archive.writestr(info, data)
        if encrypted:
            raw = bytearray(path.read_bytes())
            raw[raw.rindex(b"PK\x01\x02") + 8] |= 1
            path.write_bytes(bytes(raw))
        with pytest.raises(DataError, match=text):
            import_fabric(path, there)
        assert is_untouched(there)

    link = zipfile.ZipInfo("samples/link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    refused("is no file", (link, b"/etc/passwd"))
    refused("has no place", (zipfile.ZipInfo("samples/"), b""))
    refused("more than once", (zipfile.ZipInfo("samples/S0.png"), b"x"))
    refused("is encrypted", encrypted=True)
    lzma = zipfile.ZipInfo("samples/x.png")
    lzma.compress_type = zipfile.ZIP_LZMA
    refused("packed in an unusual way", (lzma, b"x"))
    with pytest.warns(UserWarning, match="Duplicate name"):
        refused("more than once", (zipfile.ZipInfo("samples/s0.png"), b"x"))


def test_too_many_entries_and_too_much_in_all_are_refused(
    store: SampleStore, there: SampleStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_fabric(store, NAME, tmp_path / "denim.fabric")
    with monkeypatch.context() as patch:
        patch.setattr(fabric_archive, "MOST_SAMPLES", 3)
        with pytest.raises(DataError, match="it has 10 entries, more than any fabric"):
            import_fabric(tmp_path / "denim.fabric", there)
    monkeypatch.setattr(fabric_archive, "LARGEST_TOTAL", 1000)
    with pytest.raises(DataError, match="unpacks to more than"):
        import_fabric(tmp_path / "denim.fabric", there)
    assert is_untouched(there)


def test_a_damaged_or_missing_file_is_said(store: SampleStore, there: SampleStore, tmp_path: Path) -> None:
    path = tmp_path / "denim.fabric"
    export_fabric(store, NAME, path)
    whole = path.read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 5):
        path.write_bytes(whole[:size])
        with pytest.raises(DataError, match="damaged or cut off"):
            import_fabric(path, there)
    middle = whole.index(b"IDAT") + 2000
    path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 0xFF]) + whole[middle + 1 :])
    with pytest.raises(DataError, match="damaged or cut off"):
        import_fabric(path, there)
    assert is_untouched(there)
    with pytest.raises(DataError, match="there is no such file"):
        import_fabric(tmp_path / "no.fabric", there)
