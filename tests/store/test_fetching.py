from __future__ import annotations

import os
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from imbsynth.errors import UserError
from imbsynth.store.fetching import KEPT, NAMES, expanded, fetched, source_at
from imbsynth.store.file_systems import address_of
from imbsynth.store.records import ENCODED, MANIFEST, SAMPLES
from imbsynth.store.shard_writing import pack
from tests.conftest import MakeFolder, contents

Put = Callable[[Path, str], None]


@pytest.fixture
def images(make_folder: MakeFolder) -> Path:
    return make_folder({"a": 3, "b": 2})


@pytest.fixture
def shards(images: Path, tmp_path: Path) -> Path:
    """The same images in two shards, as `generate` writes them."""
    folder = Path(shutil.copytree(images, tmp_path / "shards"))
    pack(folder, 2)
    (folder / MANIFEST).write_text("{}\n")
    (folder / SAMPLES).write_bytes(b"a sheet")
    return folder


@pytest.fixture
def put() -> Iterator[Put]:
    """Copies a folder to an address in memory."""
    memory = fsspec.filesystem("memory")
    yield lambda folder, address: memory.put(str(folder), address, recursive=True)
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]


def got(given: Path | str, cache: Path | None = None, *, loose: bool = False) -> dict[str, bytes]:
    """The files of a source, and that nothing is left of them unless they are kept."""
    source = source_at(Path(given))
    assert source is not None
    with fetched(source, "name", cache, loose=loose, on_file=lambda _: None) as place:
        assert place.name == "name"
        found = contents(place)
    assert not place.parent.exists()
    return found


def test_a_local_folder_and_what_is_not_there_are_left_to_the_command(
    images: Path, tmp_path: Path
) -> None:
    (images / "notes.tar").write_bytes(b"beside the classes")
    for path in (images, images / "a", tmp_path / "nowhere", images / "a/000.png"):
        assert source_at(path) is None


def test_shards_are_a_file_a_folder_or_a_pattern(images: Path, shards: Path) -> None:
    expected = {**contents(images), MANIFEST: b"{}\n"}
    assert got(shards) == expected
    assert got(f"{shards}/*.tar") == got(f"{shards}/shard-00000{{0..1}}.tar") == expected
    assert got(f"{shards}/shard-00000{{1,0}}.tar") == expected
    parts = [got(shards / f"shard-00000{number}.tar") for number in (0, 1)]
    assert parts[0] | parts[1] == expected
    assert all(part[MANIFEST] for part in parts)


def test_braces_stand_for_numbers_and_names() -> None:
    assert expanded("a-{08..11}.tar") == ["a-08.tar", "a-09.tar", "a-10.tar", "a-11.tar"]
    assert expanded("{a,b}/{8..10}") == ["a/8", "a/9", "a/10", "b/8", "b/9", "b/10"]
    assert expanded("{a}") == ["{a}"]
    for pattern in ("{9..1}", "{0..999999999}", "{0..99999}{0..99999}"):
        with pytest.raises(UserError, match=r"at most|more than"):
            expanded(pattern)


def test_shards_that_are_missing_are_named(shards: Path) -> None:
    with pytest.raises(UserError, match=r"no such files: .*shard-000002\.tar"):
        source_at(Path(f"{shards}/shard-00000{{0..2}}.tar"))
    with pytest.raises(UserError, match=r"\*\.jpg: no such files\n"):
        source_at(Path(f"{shards}/*.jpg"))
    with pytest.raises(UserError, match=r"not tar files: .*samples\.png"):
        source_at(Path(f"{shards}/s*"))
    (shards / "a.tar.gz").write_bytes(b"")
    with pytest.raises(UserError, match="a compressed tar file"):
        source_at(shards / "a.tar.gz")


def test_a_manifest_beside_some_of_the_shards_is_not_lost(images: Path, shards: Path) -> None:
    other = Path(shutil.copytree(images, images.parent / "a-real"))
    pack(other, 1)
    pattern = f"{images.parent}/{{a-real,shards}}/*.tar"
    with pytest.raises(UserError, match=r"shards/manifest\.jsonl: it describes the shards beside"):
        source_at(Path(pattern))
    (shards / MANIFEST).unlink()
    assert source_at(Path(pattern)) is not None


def test_what_changes_while_it_is_read_is_not_kept(shards: Path, tmp_path: Path) -> None:
    source, cache = source_at(shards), tmp_path / "cache"
    assert source is not None

    def change(_: int) -> None:
        (shards / MANIFEST).write_text("{}\n{}\n")

    with (
        pytest.raises(UserError, match="name: changed while it was being read"),
        fetched(source, "name", cache, loose=False, on_file=change),
    ):
        pass
    assert contents(cache) == {}


def test_the_cache_keeps_the_images_by_their_content(
    images: Path, shards: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    expected = got(shards, cache)
    (kept,) = (cache / KEPT).iterdir()
    before = {path: path.stat().st_mtime_ns for path in kept.rglob("*.png")}
    assert got(shutil.copytree(shards, tmp_path / "elsewhere"), cache) == expected
    assert {path: path.stat().st_mtime_ns for path in kept.rglob("*.png")} == before
    (shards / MANIFEST).write_text("{}\n{}\n")
    assert got(shards, cache) != expected
    assert len(list((cache / KEPT).iterdir())) == 2


def test_a_folder_in_the_cache_that_was_changed_is_not_used(shards: Path, tmp_path: Path) -> None:
    got(shards, tmp_path / "cache")
    (kept,) = (tmp_path / "cache" / KEPT).iterdir()
    (kept / "a/000.png").unlink()
    with pytest.raises(UserError, match=f"{kept.name}: files have been added, changed or removed"):
        got(shards, tmp_path / "cache")
    (kept / NAMES).unlink()
    with pytest.raises(UserError, match="remove this folder of the cache"):
        got(shards, tmp_path / "cache")


def test_a_damaged_shard_leaves_nothing_behind(shards: Path, tmp_path: Path) -> None:
    last = shards / "shard-000001.tar"
    last.write_bytes(last.read_bytes()[:1000])
    with pytest.raises(UserError, match=r"shard-000001\.tar: no tar file, or a damaged one"):
        got(shards, tmp_path / "cache")
    assert contents(tmp_path / "cache") == {}


def test_shards_without_an_image_are_named(shards: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    for number, names in enumerate(([], ["1.npy", "1.cls"])):
        with tarfile.open(tmp_path / f"none/{number}.tar", "w:") as tar:
            for name in names:
                tar.addfile(tarfile.TarInfo(name))
    for loose in (False, True):
        with pytest.raises(UserError, match=r"0\.tar, .*1\.tar: no image, by the suffixes"):
            got(tmp_path / "none", tmp_path / "cache", loose=loose)
    assert contents(tmp_path / "cache") == {}
    (tmp_path / "none/2.tar").write_bytes((shards / "shard-000000.tar").read_bytes())
    assert len(got(tmp_path / "none")) == 3


def test_a_missing_temporary_folder_is_said(
    shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> None:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_get_default_tempdir", none)
    for cache in (None, tmp_path / "cache"):
        with pytest.raises(UserError, match=r"no temporary folder .*\n  fix: .* TMPDIR"):
            got(shards, cache)


def test_too_little_room_is_said_before_anything_is_written(
    shards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = os.statvfs_result((4096, 4096, 1000, 1, 1, 0, 0, 0, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _: full)
    with pytest.raises(UserError, match="the disk has room for"):
        got(shards)


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("s3://bucket/a/b", "s3://bucket/a/b"),
        ("memory://a/*.tar", "memory://a/*.tar"),
        ("file:///tmp/a", "file:///tmp/a"),
        ("gs:/bucket", "gs://bucket"),
        ("hdfs:///user/x", "hdfs:///user/x"),
        ("hdfs://server:8020/user/x", "hdfs://server:8020/user/x"),
        ("webhdfs://server:9870/user/x", "webhdfs://server:9870/user/x"),
        ("a:/b/c", None),
        ("photos/s3:/b", None),
        ("/s3:/b", None),
    ],
)
def test_an_address_gets_back_the_slash_that_a_path_has_lost(path: str, address: str) -> None:
    assert address_of(Path(path)) == address


def test_what_is_there_is_no_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s3:/b").mkdir(parents=True)
    assert address_of(Path("s3://b")) is None
    assert source_at(Path("s3://b")) is None


def test_an_address_gives_what_a_local_source_gives(images: Path, shards: Path, put: Put) -> None:
    expected = contents(images)
    (images / ".hidden").mkdir()
    (images / ".hidden/1.png").write_bytes(b"")
    (images / "a/notes.txt").write_text("")
    put(images, "memory://bucket/images")
    put(shards, "memory://bucket/shards")
    assert got("memory://bucket/images") == expected
    assert got(f"file://{images}") == expected
    expected[MANIFEST] = b"{}\n"
    assert got("memory://bucket/shards") == got(f"file://{shards}") == expected
    assert got("memory://bucket/shards/*.tar") == expected
    assert got("memory://bucket/shards/shard-00000{0..1}.tar") == expected


def test_a_generated_folder_at_an_address_brings_what_says_so(images: Path, put: Put) -> None:
    (images / MANIFEST).write_text("{}\n")
    (images / ENCODED).write_text("")
    put(images, "memory://b/made")
    assert {MANIFEST, ENCODED} < got("memory://b/made").keys()


def test_an_address_is_kept_until_the_server_has_another_version(
    shards: Path, put: Put, tmp_path: Path
) -> None:
    put(shards, "memory://b/shards")
    first = got("memory://b/shards", tmp_path / "cache")
    assert got("memory://b/shards", tmp_path / "cache") == first
    assert len(list((tmp_path / "cache" / KEPT).iterdir())) == 1
    (shards / "shard-000001.tar").unlink()
    fsspec.filesystem("memory").rm("/b/shards", recursive=True)
    put(shards, "memory://b/shards")
    assert len(got("memory://b/shards", tmp_path / "cache")) < len(first)


def test_a_server_that_says_no_version_has_no_cache(
    shards: Path, put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(shards, "memory://b/shards")
    whole = MemoryFileSystem.info

    def bare(self: MemoryFileSystem, path: str, **options: object) -> dict[str, object]:
        told = whole(self, path, **options)
        return {name: told[name] for name in ("name", "size", "type")} | {"ETag": tags.get("now")}

    tags = {"now": "1"}
    monkeypatch.setattr(MemoryFileSystem, "info", bare)
    for tag, kept in (("1", 1), ("1", 1), ("2", 2)):
        tags["now"] = tag
        got("memory://b/shards", tmp_path / "cache")
        assert len(list((tmp_path / "cache" / KEPT).iterdir())) == kept
    tags.clear()
    with pytest.raises(UserError, match=r"shard-000000\.tar: cache keeps images by version"):
        got("memory://b/shards", tmp_path / "cache")
    assert got("memory://b/shards")


def test_an_address_where_nothing_is_is_named(put: Put) -> None:
    fsspec.filesystem("memory").pipe("/b/notes.txt", b"")
    for address, problem in {
        "memory://nowhere": "memory://nowhere: nothing is there",
        "memory://b/notes.txt": "memory://b/notes.txt: not a tar file",
        "memory://b/*.tar": r"memory://b/\*\.tar: no such files",
        "nothing://b/x": "nothing://b/x: .*not known",
        "ftp://nonexistent.invalid/x": "ftp://nonexistent.invalid/x: cannot be read",
        "zip://x": "zip://x: cannot be read",
        "dir://x": "dir://x: cannot be read",
        "reference://x": "reference://x: cannot be read",
        "data:/x": "data://x: cannot be read|data://x: nothing is there",
    }.items():
        with pytest.raises(UserError, match=problem):
            source_at(Path(address))


def test_packages_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "adlfs", None)
    with pytest.raises(UserError, match=r"abfs://b/x: adlfs cannot.*\n  fix: .*pip install adlfs"):
        source_at(Path("abfs://b/x"))
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(
        UserError, match=r"s3://b/x: fsspec cannot.*\n.*pip install imbsynth\[fsspe"
    ):
        source_at(Path("s3://b/x"))


def test_errors_of_a_server_are_the_users(monkeypatch: pytest.MonkeyPatch, put: Put) -> None:
    class Refused(Exception):
        __module__ = "botocore.exceptions"

    def refuse(*_: object, **__: object) -> None:
        raise Refused("Unable to locate credentials")

    monkeypatch.setattr(MemoryFileSystem, "info", refuse)
    with pytest.raises(UserError, match=r"memory://b/x: cannot be read .*locate credentials"):
        source_at(Path("memory://b/x"))
