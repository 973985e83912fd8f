from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from imbsynth.store.places import is_mount_point, lies_in
from tests.conftest import contents, draw_image

# Mounts are made in a name space of their own, so that the machine never sees them.
_ALONE = ["unshare", "--mount", "sh", "-euc"]


def _may_mount() -> bool:
    try:
        return subprocess.run([*_ALONE, "mount --bind / /mnt"], capture_output=True).returncode == 0
    except OSError:
        return False


mounts = pytest.mark.skipif(not _may_mount(), reason="needs the right to mount")


def bound(before: str, *arguments: object) -> tuple[int, str]:
    """Run imbsynth after a shell command; its exit code and its messages."""
    line = f'{before}; exec "$@"'
    command = [sys.executable, "-m", "imbsynth", *map(str, arguments)]
    done = subprocess.run([*_ALONE, line, "sh", *command], capture_output=True, text=True)
    return done.returncode, done.stderr


@pytest.fixture
def src(tmp_path: Path) -> Path:
    for i in range(5):
        path = tmp_path / "src" / ("a" if i < 3 else "b") / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        draw_image(i, 8, 8, "L").save(path)
    return tmp_path / "src"


def test_a_path_lies_in_a_folder_whatever_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "src/a").mkdir(parents=True)
    (tmp_path / "link").symlink_to("src")
    src = tmp_path / "src"
    for inside in (src, src / "a", src / "new/x", tmp_path / "link/x", src / "a/../x"):
        assert lies_in(inside, src)
    for outside in (tmp_path, tmp_path / "src2", src / "../other"):
        assert not lies_in(outside, src)


def test_the_root_is_a_mount_point_and_a_new_folder_is_none(tmp_path: Path) -> None:
    assert is_mount_point(Path("/"))
    assert not is_mount_point(tmp_path)
    assert not is_mount_point(tmp_path / "new")


@mounts
@pytest.mark.parametrize("other", [False, True])
def test_an_output_in_the_input_is_noticed_through_a_bind_mount(
    src: Path, tmp_path: Path, other: bool
) -> None:
    seen = tmp_path / "bound"
    seen.mkdir()
    before = contents(tmp_path)
    paths = (seen, src / "out") if other else (src, seen / "out")
    code, said = bound(f"mount --bind '{src}' '{seen}'", "generate", *paths)
    assert code == 2
    assert " lies in " in said
    assert contents(tmp_path) == before


@mounts
@pytest.mark.parametrize("name", ["target", "two words"])
def test_a_bind_mount_in_the_place_of_an_output_is_noticed_at_once(
    src: Path, tmp_path: Path, name: str
) -> None:
    target, real = tmp_path / name, tmp_path / "real"
    target.mkdir()
    real.mkdir()
    code, said = bound(f"mount --bind '{real}' '{target}'", "generate", src, target)
    assert code == 2
    assert "mount point" in said
    assert "generating" not in said
    assert not os.listdir(real)


@mounts
def test_one_writer_at_a_time_whatever_the_path(src: Path, tmp_path: Path) -> None:
    """The lock lies in the folder, so both paths lead to it."""
    seen, real = tmp_path / "seen", tmp_path / "real"
    seen.mkdir()
    real.mkdir()
    hold = f"mount --bind '{real}' '{seen}'; exec 9>'{real}/.out.imbsynth-lock'; flock -n 9"
    code, said = bound(hold, "generate", src, seen / "out")
    assert code == 2
    assert "is being written by another process" in said
