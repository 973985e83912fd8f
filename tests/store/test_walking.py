from __future__ import annotations

import os
from pathlib import Path

import pytest

from imbsynth.errors import UserError
from imbsynth.store.walking import walk_inside


def listed(root: Path) -> list[str]:
    return [
        (place.path / name).relative_to(root).as_posix()
        for place in walk_inside(root)
        for name in place.files
    ]


def test_files_come_in_order_from_the_top(tmp_path: Path) -> None:
    for name in ("b/y", "b/x", "a/z", "c"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert listed(tmp_path) == ["c", "a/z", "b/x", "b/y"]


def test_links_pipes_and_hidden_files_are_never_listed(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    (root / "in").mkdir(parents=True)
    (root / ".part").mkdir()
    outside.mkdir()
    for path in (outside / "secret", root / "in/file", root / ".part/x", root / ".hidden"):
        path.touch()
    (root / "folder").symlink_to(outside)
    (root / "file").symlink_to(outside / "secret")
    (root / "loop").symlink_to(root)
    os.mkfifo(root / "pipe")
    assert listed(root) == ["in/file"]
    assert next(walk_inside(root)).odd == ["file", "folder", "loop", "pipe"]


def test_a_reader_says_which_folders_are_entered(tmp_path: Path) -> None:
    for name in ("a/1", "b/2"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    seen = []
    for place in walk_inside(tmp_path):
        place.folders[:] = [name for name in place.folders if name != "a"]
        seen += place.files
    assert seen == ["2"]


@pytest.mark.parametrize("name", ["nowhere", "file"])
def test_what_is_no_folder_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=name):
        list(walk_inside(tmp_path / name))
