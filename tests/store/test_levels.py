from __future__ import annotations

from pathlib import Path

import pytest

from imbsynth.store.folders import scan
from imbsynth.store.levels import better_folders, hint


def folder(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")
    return root


@pytest.mark.parametrize(
    ("paths", "better"),
    [
        (
            ["Training/a/1.png", "Training/b/1.png", "Testing/a/2.png", "Testing/b/2.png"],
            ["Testing", "Training"],
        ),
        (["photos/a/1.png", "photos/b/1.png"], ["photos"]),
        (["photos/all/a/1.png", "photos/all/b/1.png"], ["photos/all"]),
        (["cat/1.png", "dog/1.png"], []),
        (["cat/left/1.png", "cat/right/1.png", "dog/left/1.png", "dog/right/2.png"], []),
        (["train/1.png", "bus/1.png"], []),
        (["train/1.png"], []),
        (["cat/1.png", "cat/more/1.png"], []),
        (["train/1.png", "test/1.png"], []),
    ],
)
def test_the_folders_of_classes_are_found(
    tmp_path: Path, paths: list[str], better: list[str]
) -> None:
    found = better_folders(scan(folder(tmp_path, *paths)))
    assert found == [f"{tmp_path}/{name}" for name in better]


def test_the_hint_names_them(tmp_path: Path) -> None:
    src = folder(tmp_path, "train/a/1.png", "train/b/1.png", "test/a/1.png", "test/b/1.png")
    assert hint(scan(src)).endswith(f"the classes seem to be in {src}/test, {src}/train")
    assert hint(scan(src / "train")) == ""
