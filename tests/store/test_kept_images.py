"""A folder too large for memory is decoded once into a cache, which never gives other pixels."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imbsynth.errors import UserError
from imbsynth.store import image_files
from imbsynth.store.folders import digest_of
from imbsynth.store.images import ImageForm, Images, read_images
from imbsynth.store.kept_images import (
    ABOUT,
    KEPT,
    PICTURES,
    PIXELS,
    CacheRequest,
    file_digests,
    is_kept_whole,
    read_kept,
)
from imbsynth.store.memory import limited
from imbsynth.store.picture_cache import FILE, kept_in
from imbsynth.store.row_files import RowFile
from tests.rights import permissions_hold
from tests.store.conftest import noise, put

FORM = ImageForm(size=(4, 6), skip_unreadable=True)
SIZE = 3 * 4 * 6  # bytes of an image


@pytest.fixture
def paths(tmp_path: Path) -> list[str]:
    """Gray and colour images, one of another size, and a file that is no image."""
    arrays = [noise(0, 1, 4, 6), noise(1, 3, 4, 6), noise(2, 1, 8, 8), noise(3, 3, 4, 6)]
    found = [put(tmp_path / "src", f"{i}.png", array) for i, array in enumerate(arrays)]
    (tmp_path / "src" / "1b.png").write_text("Dear Sir,")
    return [*found[:2], "1b.png", *found[2:]]


def read(
    root: Path, paths: list[str], form: ImageForm = FORM, room: int = 0
) -> tuple[Images, bool]:
    """As a command with a cache reads them; and whether the cache was damaged."""
    src = root / "src"
    with limited(room), kept_in(root / "cache"):
        digests = file_digests(src, paths, cores=1, on_progress=lambda _: None)
        assert digests is not None
        images, damaged = read_kept(
            CacheRequest(src, paths, form, digests), cores=1, on_progress=lambda _: None
        )
    return images, damaged is not None


@pytest.fixture
def undecodable(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Makes it an error to decode from now on."""

    def decode(*_: object, **__: object) -> None:
        raise AssertionError("decoded")

    return lambda: monkeypatch.setattr(image_files, "decode", decode)


def same(one: Images, other: Images) -> bool:
    return one[1:] == other[1:] and np.array_equal(one.pixels[:], other.pixels[:])


def test_the_same_images_come_without_decoding(
    tmp_path: Path, paths: list[str], undecodable: Callable[[], None]
) -> None:
    expected = read_images(tmp_path / "src", paths, FORM)
    first, _ = read(tmp_path, paths)
    undecodable()
    second, damaged = read(tmp_path, paths)
    assert isinstance(second.pixels, RowFile)
    assert same(first, expected)
    assert same(second, expected)
    assert not damaged
    assert expected.skipped == ["1b.png"]


def test_other_names_of_the_same_files_find_them_too(
    tmp_path: Path, paths: list[str], undecodable: Callable[[], None]
) -> None:
    read(tmp_path, paths)
    (tmp_path / "src").rename(tmp_path / "other")
    (tmp_path / "src").mkdir()
    names = [f"{i}.jpg" for i in range(len(paths))]
    for path, name in zip(paths, names, strict=True):
        (tmp_path / "other" / path).rename(tmp_path / "src" / name)
    undecodable()
    images, _ = read(tmp_path, names)
    assert (images.paths, images.skipped) == (names[:2] + names[3:], [names[2]])


@pytest.mark.parametrize(
    "form",
    [FORM._replace(size=(6, 4)), FORM._replace(channels=1), FORM._replace(fit="pad")],
)
def test_each_form_is_kept_apart(tmp_path: Path, paths: list[str], form: ImageForm) -> None:
    read(tmp_path, paths)
    for _ in range(2):
        assert same(read(tmp_path, paths, form)[0], read_images(tmp_path / "src", paths, form))


def test_unreadable_files_are_an_error_again_where_they_are_not_left_out(
    tmp_path: Path, paths: list[str]
) -> None:
    read(tmp_path, paths)
    with pytest.raises(UserError, match=r"1 unreadable file: 1b\.png"):
        read(tmp_path, paths, FORM._replace(skip_unreadable=False))


def test_changed_files_are_decoded(tmp_path: Path, paths: list[str]) -> None:
    read(tmp_path, paths)
    put(tmp_path / "src", paths[0], noise(9, 1, 4, 6))
    assert same(read(tmp_path, paths)[0], read_images(tmp_path / "src", paths, FORM))


def test_pictures_are_not_kept_twice(tmp_path: Path, paths: list[str]) -> None:
    read(tmp_path, paths)
    with sqlite3.connect(tmp_path / "cache" / FILE) as file:
        assert file.execute("SELECT count(*) FROM pictures").fetchone() == (0,)
    file.close()


def flip(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


@pytest.mark.parametrize("name", [PIXELS, PICTURES, ABOUT])
@pytest.mark.parametrize("damage", [flip, lambda data: data[:-1], lambda _: b""])
def test_what_is_damaged_is_made_anew(
    tmp_path: Path, paths: list[str], name: str, damage: Callable[[bytes], bytes]
) -> None:
    expected = read_images(tmp_path / "src", paths, FORM)
    read(tmp_path, paths)
    (place,) = (tmp_path / "cache" / KEPT).iterdir()
    good = {path.name: path.read_bytes() for path in place.iterdir()}
    (place / name).write_bytes(damage(good[name]))
    found, damaged = read(tmp_path, paths)
    assert damaged
    assert same(found, expected)
    assert {path.name: path.read_bytes() for path in place.iterdir()} == good


def test_a_header_that_does_not_fit_is_damage_too(tmp_path: Path, paths: list[str]) -> None:
    expected = read_images(tmp_path / "src", paths, FORM)
    read(tmp_path, paths)
    (place,) = (tmp_path / "cache" / KEPT).iterdir()
    about = json.loads(json.loads((place / ABOUT).read_text())[0])
    changes: list[dict[str, Any]] = [{"skipped": []}, {"size": [3, 4]}, {"size": [3, 4, 7]}]
    for change in [*changes, {"files": {}}]:
        line = json.dumps(about | change)
        (place / ABOUT).write_text(json.dumps([line, digest_of(line.encode())]))
        found, damaged = read(tmp_path, paths)
        assert damaged
        assert same(found, expected)


@pytest.mark.parametrize("stands", ["a file", "a link", "a link to nothing"])
def test_what_stands_in_the_place_of_a_folder_is_replaced(
    tmp_path: Path, paths: list[str], stands: str
) -> None:
    read(tmp_path, paths)
    (place,) = (tmp_path / "cache" / KEPT).iterdir()
    place.rename(tmp_path / "moved")
    (tmp_path / "moved" / PIXELS).write_bytes(b"")
    if stands == "a file":
        place.write_bytes(b"")
    else:
        place.symlink_to(tmp_path / ("moved" if stands == "a link" else "gone"))
    found, damaged = read(tmp_path, paths)
    assert damaged
    assert same(found, read_images(tmp_path / "src", paths, FORM))
    assert (tmp_path / "moved" / PIXELS).read_bytes() == b""


@pytest.mark.parametrize("rights", [0o555, 0o000])
def test_damage_that_cannot_be_removed_names_its_place(
    tmp_path: Path, paths: list[str], rights: int
) -> None:
    read(tmp_path, paths)
    (place,) = (tmp_path / "cache" / KEPT).iterdir()
    (place / PIXELS).write_bytes(b"")
    place.chmod(rights)
    with permissions_hold(), pytest.raises(UserError, match=f"{place}: damaged, and cannot be rem"):
        read(tmp_path, paths)
    place.chmod(0o755)


def test_a_cache_of_another_user_that_is_closed_is_an_error(
    tmp_path: Path, paths: list[str]
) -> None:
    read(tmp_path, paths)
    folders = tmp_path / "cache" / KEPT
    folders.chmod(0)
    with permissions_hold(), pytest.raises(UserError, match=r"Permission denied.*\n  fix: "):
        read(tmp_path, paths)
    folders.chmod(0o755)


def test_images_that_fit_after_all_are_in_memory(tmp_path: Path, paths: list[str]) -> None:
    for _ in range(2):
        found, _ = read(tmp_path, paths, room=5 * SIZE)
        assert isinstance(found.pixels, np.ndarray)
        assert same(found, read_images(tmp_path / "src", paths, FORM))


def test_only_images_that_may_not_fit_are_kept_and_only_in_a_cache(tmp_path: Path) -> None:
    with limited(10 * SIZE):
        assert not is_kept_whole(11, (4, 6), None)
        with kept_in(tmp_path / "cache"):
            assert is_kept_whole(11, (4, 6), None)
            assert not is_kept_whole(10, (4, 6), None)
            assert not is_kept_whole(11, (4, 6), 1)
            assert not is_kept_whole(11, None, None)


def test_two_processes_at_once_decode_once(tmp_path: Path, paths: list[str]) -> None:
    """The second waits, and finds what the first has made; each says how many it has decoded."""
    code = f"""
from pathlib import Path
from imbsynth.store import image_files
from imbsynth.store.images import ImageForm
from imbsynth.store.kept_images import CacheRequest, file_digests, read_kept
from imbsynth.store.memory import limited
from imbsynth.store.picture_cache import kept_in
decode, count = image_files.decode, []
def noted(*rules, **more):
    count.append(1)
    return decode(*rules, **more)
image_files.decode = noted
root, paths = Path({str(tmp_path)!r}), {paths!r}
how = dict(cores=1, on_progress=lambda _: None)
with limited(0), kept_in(root / "cache"):
    form = ImageForm(size=(4, 6), skip_unreadable=True)
    digests = file_digests(root / "src", paths, **how)
    images, _ = read_kept(CacheRequest(root / "src", paths, form, digests), **how)
print(len(count), images.pixels[:].sum())
"""
    running = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = sorted(process.communicate(timeout=120)[0].split() for process in running)
    total = str(read_images(tmp_path / "src", paths, FORM).pixels[:].sum())
    assert said == [["0", total], ["5", total]]


def test_a_cache_without_room_is_said_so(
    tmp_path: Path, paths: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(
        UserError, match=r"cache/folders/.* no room .*\n  fix: free some space, .*cache"
    ):
        read(tmp_path, paths)
    assert list((tmp_path / "cache" / KEPT).iterdir()) == []


def test_files_that_change_while_they_are_read_are_not_kept(
    tmp_path: Path, paths: list[str]
) -> None:
    src = tmp_path / "src"
    with limited(0), kept_in(tmp_path / "cache"):
        digests = file_digests(src, paths, cores=1, on_progress=lambda _: None)
        assert digests is not None
        put(src, paths[0], noise(9, 1, 4, 6))
        with pytest.raises(UserError, match="files change while they are read"):
            read_kept(CacheRequest(src, paths, FORM, digests), cores=1, on_progress=lambda _: None)
    assert list((tmp_path / "cache" / KEPT).iterdir()) == []


def test_no_digests_come_of_a_file_that_cannot_be_read(tmp_path: Path, paths: list[str]) -> None:
    wanted = [*paths, "gone.png"]
    assert file_digests(tmp_path / "src", wanted, cores=1, on_progress=lambda _: None) is None
