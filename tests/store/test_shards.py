from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imbsynth.errors import UserError
from imbsynth.store import tar_files
from imbsynth.store.shard_writing import pack
from imbsynth.store.shards import Unpacking
from imbsynth.store.tar_files import Shard
from tests.conftest import contents


def tar_of(*files: tuple[str, bytes] | tarfile.TarInfo) -> bytes:
    """A tar file of these members, in this order."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:") as tar:
        for one in files:
            member, content = (one, b"") if isinstance(one, tarfile.TarInfo) else (None, one[1])
            if member is None:
                member = tarfile.TarInfo(str(one[0]))  # type: ignore[index]
                member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return data.getvalue()


def unpacked(folder: Path, *shards: bytes, loose: bool = False) -> dict[str, bytes]:
    """What is in the folder afterwards."""
    folder.mkdir(exist_ok=True)
    unpacking = Unpacking(folder)
    for number, data in enumerate(shards):
        unpacking.add(Shard(f"s{number}.tar", io.BytesIO(data)))
    unpacking.finish(loose=loose)
    return contents(folder)


def test_a_class_is_a_number_or_a_name_a_label_or_the_folder(tmp_path: Path) -> None:
    found = unpacked(
        tmp_path / "folder",
        tar_of(
            ("1.jpg", b"one"),
            ("1.cls", b"7\n"),
            ("2.cls", b"cat"),
            ("2.txt", b"a caption"),
            ("2.PNG", b"two"),
            ("3.png", b"three"),
            ("3.json", b'{"label": 7, "width": 5}'),
            ("4.png", b"four"),
            ("4.cls", b"0"),
            ("4.json", b'{"label": "dog"}'),
            ("./train/cat/5.png", b"five"),
        ),
        tar_of(("train/dog/a.b.png", b"six"), ("train/dog/a.c.png", b"seven")),
    )
    assert found == {
        **{"7/1.jpg": b"one", "cat/2.PNG": b"two", "7/3.png": b"three", "dog/4.png": b"four"},
        **{"cat/5.png": b"five", "dog/a.b.png": b"six", "dog/a.c.png": b"seven"},
    }


def test_hidden_files_and_files_that_are_no_images_stay_in_the_shard(tmp_path: Path) -> None:
    link = tarfile.TarInfo("README")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    shard = tar_of(
        ("cat/1.png", b"image"),
        ("cat/._1.png", b"of a Mac"),
        (".git/2.png", b"hidden"),
        ("classes.json", b"[1, 2]"),
        ("cat/run.py", b"import os"),
        link,
    )
    assert unpacked(tmp_path / "folder", shard) == {"cat/1.png": b"image"}


def test_images_without_a_class_keep_their_names_where_none_is_needed(tmp_path: Path) -> None:
    shard = tar_of(("1.png", b"a"), ("deep/er/2.png", b"b"), ("3.png", b"c"), ("3.cls", b"cat"))
    found = unpacked(tmp_path / "folder", shard, loose=True)
    assert found == {"1.png": b"a", "deep/er/2.png": b"b", "cat/3.png": b"c"}


def member(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.linkname = kind, target
    return found


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ([("1.png", b"")], r"s0\.tar: 1\.png: nothing says its class"),
        ([("1.png", b""), ("1.jpg", b""), ("1.cls", b"3")], r"1\.png: not the only image"),
        ([("1.l.png", b""), ("1.r.png", b""), ("1.cls", b"3")], r"1\.l\.png: not the only image"),
        ([("1.png", b""), ("1.cls", b"3"), ("1.cls", b"4")], r"1\.cls: another \.cls of the same"),
        ([("1.png", b""), ("1.a.cls", b"3"), ("1.b.cls", b"4")], r"1\.b\.cls: another \.cls"),
        ([("a/1.png", b""), ("a/1.png", b"")], r"a/1\.png: the same class and name as s0"),
        ([("1.png", b""), ("1.cls", b"a"), ("a/1.png", b"")], "the same class and name"),
        ([("a/x/1.png", b""), ("b/x/1.png", b"")], r"b/x/1\.png: its folder is not beside"),
        ([("../1.png", b"")], r"s0\.tar: \.\./1\.png: its name leads elsewhere"),
        ([("/a/1.png", b"")], r"/a/1\.png: its name leads elsewhere"),
        ([("a/../../b/1.png", b"")], "its name leads elsewhere"),
        ([("1.png", b""), ("1.cls", b"../a")], r"1\.png: class '\.\./a' cannot be"),
        ([("1.png", b""), ("1.cls", b"a/b")], "class 'a/b' cannot be the name of a folder"),
        ([("1.png", b""), ("1.cls", b"\n")], "class '' cannot be"),
        ([("1.png", b""), ("1.cls", b".hidden")], "class '.hidden' cannot be"),
        ([("1.png", b""), ("1.json", b"[]")], r"1\.png: its \.json is no JSON object"),
        ([("1.png", b""), ("1.json", b'{"label": true}')], "neither a text nor a whole number"),
        ([("1.png", b""), ("1.json", b'{"label": [1]}')], "neither a text nor a whole number"),
        ([("1.png", b""), ("1.json", b'{"label": "\\ud800"}')], r"1\.png: no file can be called"),
        ([("1.png", b""), ("1.cls", b"a" * 256)], r"1\.png: no file can be called 'aaa.*too long"),
        ([("a/" + "b" * 252 + ".png", b"")], r"no file can be called 'a/bbb.*too long"),
        ([member("a/1.png", tarfile.SYMTYPE, "/etc/passwd")], r"a/1\.png: not a regular file"),
        ([member("a/1.png", tarfile.LNKTYPE, "/etc/passwd")], r"a/1\.png: not a regular file"),
        ([member("a/1.png", tarfile.CHRTYPE)], "not a regular file"),
        ([member("a/1.png", tarfile.FIFOTYPE)], "not a regular file"),
        ([member("a/1.png", tarfile.GNUTYPE_SPARSE)], "not a regular file|damaged"),
    ],
)
def test_what_is_odd_is_named_with_its_shard(
    tmp_path: Path, files: list[tuple[str, bytes] | tarfile.TarInfo], problem: str
) -> None:
    with pytest.raises(UserError, match=problem):
        unpacked(tmp_path / "folder", tar_of(*files))
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_what_is_too_large_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar_files, "LARGEST", 10)
    monkeypatch.setattr(tar_files, "LARGEST_LABEL", 5)
    with pytest.raises(UserError, match=r"a/1\.png: 11 bytes are too many"):
        unpacked(tmp_path / "1", tar_of(("a/1.png", b"x" * 11)))
    with pytest.raises(UserError, match=r"a/1\.png: what says its class is too long"):
        unpacked(tmp_path / "2", tar_of(("a/1.png", b"x"), ("a/1.cls", b"x" * 6)))
    shard = tar_of(("a/1.png", b"x"), ("about.json", b"x" * 6))
    assert unpacked(tmp_path / "3", shard) == {"a/1.png": b"x"}


def test_a_shard_that_is_cut_off_anywhere_is_named(tmp_path: Path) -> None:
    shard = tar_of(*[(f"a/{i}.png", bytes([i]) * 700) for i in range(3)])
    end = 3 * (512 + 1024)
    for length in (*range(0, end, 256), end - 1, end, end + 511):
        with pytest.raises(UserError, match=r"s0\.tar: no tar file, or a damaged one"):
            unpacked(tmp_path / str(length), shard[:length])
    assert len(unpacked(tmp_path / "whole", shard[: end + 512])) == 3


@settings(deadline=None)
@given(place=st.integers(0, 2 * 1536 + 511), value=st.integers(0, 255))
def test_a_shard_with_a_wrong_byte_is_read_or_named(place: int, value: int) -> None:
    shard = bytearray(tar_of(*[(f"a/{i}.png", bytes([i]) * 700) for i in range(2)]))
    shard[place] = value
    with TemporaryDirectory() as folder, suppress(UserError):
        assert len(unpacked(Path(folder) / "folder", bytes(shard))) == 2


@pytest.mark.parametrize("first", [0, 1])
def test_an_image_in_the_place_of_a_folder_is_named(tmp_path: Path, first: int) -> None:
    names = ["a/b.jpg", "a/b.jpg/c.jpg"]
    shard = tar_of((names[first], b"1"), (names[1 - first], b"2"))
    with pytest.raises(UserError, match=rf"{names[1 - first]}: no file can be called"):
        unpacked(tmp_path / "folder", shard, loose=True)


def test_a_size_below_zero_does_not_read_the_same_file_for_ever(tmp_path: Path) -> None:
    for name in ("a/1.txt", "a/1.png"):
        first, odd = tarfile.TarInfo("a/0.png"), with_size(tarfile.TarInfo(name), -512)
        shard = first.tobuf() + odd.tobuf(tarfile.GNU_FORMAT) + bytes(1024)
        with pytest.raises(UserError, match=r"s0\.tar: no tar file, or a damaged one"):
            unpacked(tmp_path / name[-3:], shard)


def with_size(made: tarfile.TarInfo, size: int) -> tarfile.TarInfo:
    made.size = size
    return made


@pytest.mark.parametrize(
    "kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.REGTYPE]
)
@pytest.mark.parametrize("size", [1 << 29, 1 << 60, 1 << 70])
def test_a_size_that_no_file_has_is_named(tmp_path: Path, kind: bytes, size: int) -> None:
    path = tmp_path / "s0.tar"
    path.write_bytes(with_size(member("a/1.png", kind), size).tobuf(tarfile.GNU_FORMAT) * 2)
    (tmp_path / "folder").mkdir()
    with path.open("rb") as file, pytest.raises(UserError, match=r"s0\.tar: "):
        Unpacking(tmp_path / "folder").add(Shard("s0.tar", file))


def test_a_sparse_map_that_is_none_is_named(tmp_path: Path) -> None:
    odd = tarfile.TarInfo("a/1.png")
    odd.pax_headers = {"GNU.sparse.map": "a,"}
    with pytest.raises(UserError, match=r"s0\.tar: no tar file, or a damaged one"):
        unpacked(tmp_path / "folder", odd.tobuf(tarfile.PAX_FORMAT) + bytes(1024))


def test_tar_files_put_together_are_named(tmp_path: Path) -> None:
    shard = tar_of(("a/1.png", b"1"))
    assert len(unpacked(tmp_path / "one", shard + bytes(20_000))) == 1
    with pytest.raises(UserError, match=r"s0\.tar: something follows the end"):
        unpacked(tmp_path / "two", shard + tar_of(("b/1.png", b"2")))


def test_no_tar_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"s0\.tar: no tar file.*\n  fix: .*gunzip"):
        unpacked(tmp_path / "folder", b"no tar file" * 1000)


# writing


def folder_of(root: Path, files: Mapping[str, bytes]) -> Path:
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return root


def read_back(tmp: Path, folder: Path) -> dict[str, bytes]:
    return unpacked(tmp, *[path.read_bytes() for path in sorted(folder.glob("*.tar"))])


ODD = {
    "St. Bernard/x.rf.1.jpg": b"1",
    "St. Bernard/x_rf_1.jpg": b"2",
    "St. Bernard/x.png": b"3",
    "St. Bernard/x.jpg": b"4",
    "0/deep/er/x.PNG": b"5",
    " a \n/ b .png": b"6",
    "cœur/é" + "ö" * 100 + ".png": b"7",
    "-/-.png": b"8",
    "deep/deep/x.png": b"9",
}


def test_shards_give_the_folder_that_was_packed(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "src", {**ODD, "samples.png": b"a sheet"})
    pack(folder, 2)
    assert sorted(path.name for path in folder.iterdir()) == [
        *("samples.png", "shard-000000.tar", "shard-000001.tar")
    ]
    assert read_back(tmp_path / "back", folder) == ODD


def test_names_that_are_no_text_come_back(tmp_path: Path) -> None:
    name = b"\xff/\xfe.\xfd.png".decode("utf-8", "surrogateescape")
    folder = folder_of(tmp_path / "src", {name: b"1"})
    pack(folder, 1)
    assert read_back(tmp_path / "back", folder) == {name: b"1"}


def test_a_sample_is_what_webdataset_reads(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path / "src", {"cat/1.png": b"1", "dog/1.png": b"2", "dog/a.b.png": b"3"}
    )
    pack(folder, 1)
    with tarfile.open(folder / "shard-000000.tar") as tar:
        found = [(one.name, tar.extractfile(one).read()) for one in tar]  # type: ignore[union-attr]
    assert found == [
        ("cat/1.png", b"1"),
        ("cat/1.cls", b"0"),
        ("cat/1.json", json.dumps({"label": "cat"}).encode()),
        ("dog/1.png", b"2"),
        ("dog/1.cls", b"1"),
        ("dog/1.json", json.dumps({"label": "dog"}).encode()),
        ("dog/a_b.png", b"3"),
        ("dog/a_b.cls", b"1"),
        ("dog/a_b.json", json.dumps({"label": "dog", "file": "dog/a.b.png"}).encode()),
    ]


def test_the_same_images_give_the_same_bytes_and_every_shard_its_share(tmp_path: Path) -> None:
    files = {f"{label}/{i:03d}.png": bytes([i]) for label in "ab" for i in range(10)}
    first = folder_of(tmp_path / "first", files)
    second = folder_of(tmp_path / "second", dict(reversed(files.items())))
    pack(first, 3)
    pack(second, 3)
    assert contents(first) == contents(second)
    for path in first.glob("*.tar"):
        found = unpacked(tmp_path / path.stem, path.read_bytes())
        assert {label: sum(name[0] == label for name in found) // 3 for label in "ab"} == {
            **{"a": 1, "b": 1}
        }


def test_a_path_that_a_sample_gives_is_used_only_within_its_class(tmp_path: Path) -> None:
    wrong = ["../x.png", "b/x.png", "a/../../x.png", "a/.x.png", "/a/x.png", "a/x.jpg", 5, None]
    for number, path in enumerate(wrong):
        about = json.dumps({"label": "a", "file": path}).encode()
        found = unpacked(tmp_path / str(number), tar_of(("1.png", b"1"), ("1.json", about)))
        assert found == {"a/1.png": b"1"}
