from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from imbsynth.errors import UserError
from imbsynth.store.outputs import RECORD, check_apart, claim, new_file, new_folder
from imbsynth.store.records import write_record
from tests.conftest import contents
from tests.rights import permissions_hold

FILLS_A_FOLDER = """
import sys
from pathlib import Path
from imbsynth.store.outputs import new_folder

with new_folder(Path(sys.argv[1]), command='test', force=False) as part:
    (part / "run.json").write_text("by a child")
    print("begun", flush=True)
    sys.stdin.read()
"""
Child = subprocess.Popen[str]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def writing(out: Path) -> Iterator[Child]:
    """Another process in the middle of writing `out`; it ends when its stdin is closed."""
    with subprocess.Popen(
        [sys.executable, "-c", FILLS_A_FOLDER, str(out)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "begun\n"
        yield child
        child.kill()


def record(text: str) -> str:
    """A run.json that imbsynth could have written."""
    made = {"command": "test", "versions": {"imbsynth": "0"}, "outputs": {}}
    return json.dumps({**made, "text": text})


def write_folder(target: Path, text: str = "new", *, force: bool = False) -> None:
    with new_folder(target, command="test", force=force) as part:
        (part / RECORD).write_text(record(text))


def write_file(target: Path, text: str = "new", *, force: bool = True) -> None:
    with new_file(target, force=force) as part:
        part.write_text(text)


def fail_to_write(target: Path, error: type[BaseException], *, force: bool = False) -> None:
    """Begin both a folder and its neighbor, a file, and raise half way."""
    with (
        new_folder(target, command="test", force=force) as folder,
        new_file(target.with_name("file")) as file,
    ):
        (folder / "half").touch()
        file.write_text("ne")
        raise error


def refused_folder(target: Path, *, force: bool = False) -> UserError:
    """What is said against writing the folder."""
    with pytest.raises(UserError) as caught:
        write_folder(target, force=force)
    return caught.value


def test_a_folder_appears_when_it_is_whole_and_leaves_nothing_beside_it(out: Path) -> None:
    with new_folder(out, command="test", force=False) as part:
        (part / "half").touch()
        assert not out.exists()
        assert part.parent == out.parent  # or the rename could cross file systems
    assert os.listdir(out.parent) == ["out"]
    assert os.listdir(out) == ["half"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_nothing_appears_when_the_work_fails(out: Path, error: type[BaseException]) -> None:
    with pytest.raises(error):
        fail_to_write(out, error)
    assert os.listdir(out.parent) == []


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_what_was_there_stays_when_the_work_fails(out: Path, error: type[BaseException]) -> None:
    write_folder(out, "old")
    write_file(out.with_name("file"), "old")
    with pytest.raises(error):
        fail_to_write(out, error, force=True)
    assert contents(out.parent) == {f"out/{RECORD}": record("old").encode(), "file": b"old"}


def test_a_folder_does_not_appear_when_the_process_is_killed(out: Path, writing: Child) -> None:
    writing.kill()
    writing.wait()
    assert not out.exists()
    assert os.listdir(out.parent) != []  # it had no chance to tidy up

    write_folder(out)
    assert contents(out.parent) == {f"out/{RECORD}": record("new").encode()}


def test_only_one_process_writes_a_folder(out: Path, writing: Child) -> None:
    error = refused_folder(out)
    assert "is being written by another process" in error.problem
    writing.communicate()
    assert writing.returncode == 0
    assert contents(out.parent) == {f"out/{RECORD}": b"by a child"}


def test_only_one_writer_in_a_process_either(out: Path) -> None:
    with claim(out):
        assert "is being written" in refused_folder(out).problem
        assert os.listdir(out.parent) == [".out.imbsynth-lock"]
    write_folder(out)


@pytest.mark.parametrize("own", [True, False])
def test_a_lock_file_is_held_by_a_process_not_by_a_number_in_it(out: Path, own: bool) -> None:
    """A machine that went down leaves the file, and another process may get the number."""
    lock = out.parent / ".out.imbsynth-lock"
    lock.write_text(f"{os.getpid() if own else 1}\n")
    write_folder(out)
    assert contents(out.parent) == {f"out/{RECORD}": record("new").encode()}


def test_a_held_lock_blocks_whatever_is_in_its_file(out: Path, writing: Child) -> None:
    (out.parent / ".out.imbsynth-lock").write_text("999999999\n")
    assert "is being written by another process" in refused_folder(out).problem


def test_two_folders_side_by_side_do_not_wait_for_each_other(out: Path) -> None:
    with claim(out.with_name("out-2")):
        write_folder(out)
    assert os.listdir(out.parent) == ["out"]


def test_parents_are_made(out: Path) -> None:
    write_folder(out / "a/b")
    assert contents(out) == {f"a/b/{RECORD}": record("new").encode()}


def test_an_empty_folder_may_be_there_already(out: Path) -> None:
    out.mkdir()
    write_folder(out)
    assert contents(out.parent) == {f"out/{RECORD}": record("new").encode()}


def test_an_existing_folder_is_kept_without_force(out: Path) -> None:
    write_folder(out, "old")
    assert "force" in refused_folder(out).fix
    assert contents(out.parent) == {f"out/{RECORD}": record("old").encode()}


def test_force_replaces_the_whole_folder(out: Path) -> None:
    made(out)
    write_folder(out, force=True)
    assert contents(out.parent) == {f"out/{RECORD}": record("new").encode()}


def made(out: Path, *, command: str = "test") -> None:
    """A folder with a file, one below, and links, as a command leaves it."""
    with new_folder(out, command=command, force=False) as part:
        (part / "a/b").mkdir(parents=True)
        (part / "scores.json").write_text("1")
        (part / "a/b/image.png").write_bytes(b"image")
        (part / "a/link.png").symlink_to("b/image.png")
        (part / "a/folder").symlink_to("b")
        write_record(part, {"command": command, "versions": {"imbsynth": "0"}})


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda out: (out / "notes.txt").write_text("mine"), "notes.txt"),
        (lambda out: (out / "a/.hidden.png").write_bytes(b"mine"), "a/.hidden.png"),
        (lambda out: (out / "scores.json").write_text("2"), "scores.json"),
        (lambda out: (out / "a/b/mine").symlink_to("nowhere"), "a/b/mine"),
        (lambda out: os.mkfifo(out / "pipe"), "pipe"),
        (lambda out: (out / "a/folder").rename(out / "a/renamed"), "a/renamed"),
    ],
)
def test_force_keeps_files_that_the_command_did_not_make(
    out: Path, change: Callable[[Path], object], named: str
) -> None:
    made(out)
    change(out)
    before = contents(out)
    problem = refused_folder(out, force=True).problem
    assert problem.endswith(f"holds 1 files that are not as test made them: {named}")
    assert contents(out) == before


def test_force_takes_a_folder_whose_files_are_gone_in_part(out: Path) -> None:
    made(out)
    (out / "scores.json").unlink()
    write_folder(out, force=True)


def test_force_keeps_a_folder_with_a_copied_record(out: Path, tmp_path: Path) -> None:
    made(tmp_path / "other")
    out.mkdir(parents=True)
    (out / "thesis.tex").touch()
    shutil.copy(tmp_path / "other" / RECORD, out)
    assert "thesis.tex" in refused_folder(out, force=True).problem
    assert (out / "thesis.tex").exists()


def test_force_keeps_a_folder_of_another_command_or_version(out: Path) -> None:
    made(out, command="another")
    assert "made by another command, not by test" in refused_folder(out, force=True).problem
    found = json.loads((out / RECORD).read_text())
    del found["outputs"]
    (out / RECORD).write_text(json.dumps({**found, "command": "test"}))
    assert "does not list its files" in refused_folder(out, force=True).problem
    assert (out / "a/b/image.png").exists()


def test_force_needs_nothing_to_be_there(out: Path) -> None:
    write_folder(out, force=True)
    assert contents(out.parent) == {f"out/{RECORD}": record("new").encode()}


def test_force_keeps_a_folder_that_is_not_ours(out: Path) -> None:
    out.mkdir()
    (out / "thesis.tex").touch()
    assert "was not made by imbsynth" in refused_folder(out, force=True).problem
    assert contents(out.parent) == {"out/thesis.tex": b""}


@pytest.mark.parametrize("text", ['{"run": "wandb"}', "[]", "x", "", '{"command": 1}'])
def test_force_keeps_a_folder_with_somebody_elses_record(out: Path, text: str) -> None:
    out.mkdir()
    (out / RECORD).write_text(text)
    (out / "thesis.tex").touch()
    assert "was not made by imbsynth" in refused_folder(out, force=True).problem
    assert contents(out.parent) == {"out/thesis.tex": b"", f"out/{RECORD}": text.encode()}


@pytest.mark.parametrize("error", [OSError, SystemExit])
def test_a_stop_within_a_replacement_brings_the_old_folder_back(
    out: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    write_folder(out, "old")
    rename, calls = os.rename, []

    def stopped_at_the_second(*paths: Path) -> None:
        calls.append(paths)
        if len(calls) == 2:
            raise error
        rename(*paths)

    monkeypatch.setattr(os, "rename", stopped_at_the_second)
    with pytest.raises((UserError, error)):
        write_folder(out, force=True)
    assert contents(out.parent) == {f"out/{RECORD}": record("old").encode()}


def test_a_kill_within_a_replacement_is_mended_by_the_next_run(out: Path) -> None:
    write_folder(out, "old")
    out.rename(out.with_name(".out.imbsynth-old"))
    assert "force" in refused_folder(out).fix
    assert contents(out.parent) == {f"out/{RECORD}": record("old").encode()}


def test_what_a_kill_at_the_end_of_a_replacement_leaves_is_removed(out: Path) -> None:
    write_folder(out, "new")
    write_folder(out.with_name(".out.imbsynth-old"), "old")
    assert "exists" in refused_folder(out).problem
    assert contents(out.parent) == {f"out/{RECORD}": record("new").encode()}


def test_a_pipe_is_no_record_and_nobody_waits_for_it(out: Path) -> None:
    out.mkdir()
    os.mkfifo(out / RECORD)
    assert "was not made by imbsynth" in refused_folder(out, force=True).problem


def test_force_keeps_a_file_and_a_link(out: Path) -> None:
    write_folder(out, "old")
    link, file = out.with_name("link"), out.with_name("file")
    link.symlink_to("out")
    file.touch()
    for target in (link, file):
        assert "was not made by imbsynth" in refused_folder(target, force=True).problem
    assert sorted(os.listdir(out.parent)) == ["file", "link", "out"]


def test_a_dangling_link_is_in_the_way(out: Path) -> None:
    out.symlink_to("nothing")
    assert "exists" in refused_folder(out).problem
    assert out.is_symlink()


def with_a_rival(target: Path) -> None:
    """Write a folder, while somebody else makes one of that name."""
    with new_folder(target, command="test", force=False):
        target.mkdir()
        (target / "thesis.tex").touch()


def test_what_appears_meanwhile_is_kept(out: Path) -> None:
    with pytest.raises(UserError, match="exists\n  fix: choose another folder"):
        with_a_rival(out)
    assert contents(out.parent) == {"out/thesis.tex": b""}


def test_the_current_folder_and_a_mount_point_are_refused_at_once(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (out / "inner").mkdir(parents=True)
    monkeypatch.chdir(out / "inner")
    for target in (Path("."), Path(".."), Path(out.anchor)):
        for force in (False, True):
            error = refused_folder(target, force=force)
            assert "in place of the current one or of a mount point" in error.problem
            assert error.fix.endswith(f"like {target / 'out'}")


@pytest.mark.parametrize("below", ["file/out", "file/a/out", "a" * 300])
def test_a_place_where_nothing_can_be_is_advice_and_no_traceback(out: Path, below: str) -> None:
    (out.parent / "file").touch()
    for write in (write_folder, write_file):
        with pytest.raises(UserError, match=r"cannot be written .*\n  fix: choose a place where"):
            write(out.parent / below)
    with pytest.raises(UserError, match="cannot be written"), claim(out.parent / below):
        pass
    assert os.listdir(out.parent) == ["file"]


def test_a_read_only_folder_is_advice_and_no_traceback(out: Path) -> None:
    out.mkdir(mode=0o500)
    for write in (write_folder, write_file):
        with (
            permissions_hold(),
            pytest.raises(UserError, match=r"Permission denied.*\n  fix: choose a place"),
        ):
            write(out / "new")


def test_a_full_disk_is_advice_and_leaves_nothing(out: Path) -> None:
    for manager in (partial(new_folder, command="test"), new_file):
        with pytest.raises(UserError, match="fix: free some space"), manager(out, force=False):
            raise OSError(errno.ENOSPC, "No space left on device")
    assert os.listdir(out.parent) == []


def test_a_limit_on_the_size_of_files_is_named(out: Path) -> None:
    with (
        pytest.raises(UserError, match=r"File too large.*\n  fix: raise .*ulimit -f"),
        new_file(out),
    ):
        raise OSError(errno.EFBIG, "File too large")


def test_a_file_appears_when_it_is_whole_and_leaves_nothing_beside_it(out: Path) -> None:
    with new_file(out) as part:
        part.write_text("new")
        assert not out.exists()
    assert contents(out.parent) == {"out": b"new"}


def test_a_file_is_replaced_unless_told_otherwise(out: Path) -> None:
    write_file(out, "old")
    with pytest.raises(UserError, match=r"exists\n  fix: .* force"):
        write_file(out, force=False)
    assert out.read_text() == "old"
    write_file(out)
    assert out.read_text() == "new"


def test_a_file_never_takes_the_place_of_a_folder(out: Path) -> None:
    out.mkdir()
    with pytest.raises(UserError, match="is a folder\n  fix: give the path of a file"):
        write_file(out)
    assert os.listdir(out.parent) == ["out"]


def test_the_leftover_of_a_killed_writer_is_no_obstacle(out: Path) -> None:
    out.with_name(".out.imbsynth-part").write_text("half of a longer text")
    write_file(out)
    assert contents(out.parent) == {"out": b"new"}


@pytest.mark.parametrize(
    ("src", "dst"), [("a", "a"), ("a", "a/b"), ("a/b", "a"), ("link", "a/b"), ("a", "link/b")]
)
def test_input_and_output_lie_apart(tmp_path: Path, src: str, dst: str) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "link").symlink_to("a")
    with pytest.raises(UserError, match=r" lies in | holds "):
        check_apart(tmp_path / src, tmp_path / dst)


def test_an_output_may_stand_beside_its_input(tmp_path: Path) -> None:
    check_apart(tmp_path / "a", tmp_path / "a-balanced")
    check_apart(tmp_path / "a-balanced", tmp_path / "a")
