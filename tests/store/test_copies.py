from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imbsynth.configs import Link
from imbsynth.errors import UserError
from imbsynth.store.copies import copy_or_link, folder_digest, unchanged

LINKS: list[Link] = ["copy", "hard", "symbolic"]
PATHS = ["cat/a.png", "cat/deep/b.png", "dog/-rf.png"]


@pytest.fixture
def src(tmp_path: Path) -> Path:
    """Three files, one of them a link to a file elsewhere."""
    for path in PATHS:
        (tmp_path / "src" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "src" / path).write_bytes(path.encode())
    (tmp_path / "elsewhere").write_bytes(b"far")
    (tmp_path / "src/dog/far.png").symlink_to("../../elsewhere")
    return tmp_path / "src"


def move(src: Path, paths: list[str], out: Path, link: Link) -> list[str]:
    """Transfer into a part and rename it, as every command does."""
    part = out.with_name(".part")
    digests = copy_or_link(src, paths, part, link, final=out)
    part.rename(out)
    return digests


@pytest.mark.parametrize("link", LINKS)
def test_the_bytes_arrive_unchanged_and_are_digested(src: Path, link: Link) -> None:
    paths, out = [*PATHS, "dog/far.png"], src.with_name("out")
    digests = move(src, paths, out, link)
    for path, digest in zip(paths, digests, strict=True):
        assert (out / path).read_bytes() == (src / path).read_bytes()
        assert digest == hashlib.sha256((src / path).read_bytes()).hexdigest()
    assert sorted(p.relative_to(out).as_posix() for p in out.rglob("*.png")) == sorted(paths)


def test_a_copy_lives_on_its_own(src: Path) -> None:
    out = src.with_name("out")
    move(src, [*PATHS, "dog/far.png"], out, "copy")
    shutil.rmtree(src)
    assert (out / "cat/a.png").read_bytes() == b"cat/a.png"
    assert not (out / "dog/far.png").is_symlink()


def test_a_hard_link_is_the_same_file(src: Path) -> None:
    out = src.with_name("out")
    move(src, [*PATHS, "dog/far.png"], out, "hard")
    assert (out / "cat/a.png").samefile(src / "cat/a.png")
    assert not (out / "dog/far.png").is_symlink()
    assert (out / "dog/far.png").samefile(src.with_name("elsewhere"))


def test_a_symbolic_link_is_relative_so_that_both_folders_can_move(src: Path) -> None:
    out = src.parent / "outputs/run/out"
    out.parent.mkdir(parents=True)
    move(src, PATHS, out, "symbolic")
    target = os.readlink(out / "cat/deep/b.png")
    assert target == "../../../../../src/cat/deep/b.png"

    moved = src.parent.with_name("moved")
    src.parent.rename(moved)
    assert (moved / "outputs/run/out/cat/deep/b.png").read_bytes() == b"cat/deep/b.png"


def test_a_symbolic_link_holds_where_the_output_lies_behind_a_link(src: Path) -> None:
    (src.parent / "disk/deep").mkdir(parents=True)
    (src.parent / "short").symlink_to("disk/deep")
    move(src, PATHS, src.parent / "short/out", "symbolic")
    assert (src.parent / "disk/deep/out/cat/a.png").read_bytes() == b"cat/a.png"


def test_paths_may_be_relative(src: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(src)
    move(Path("."), PATHS, Path("../out"), "symbolic")
    assert (src.with_name("out") / "cat/a.png").read_bytes() == b"cat/a.png"


def test_a_hard_link_that_cannot_be_made_advises_another_way(src: Path) -> None:
    out = src.with_name("out")
    copy_or_link(src, PATHS[:1], out, "hard", final=out)
    with pytest.raises(UserError, match=r"no hard link can be made .*\n  fix: use --link copy"):
        copy_or_link(src, PATHS[:1], out, "hard", final=out)


def test_a_file_that_has_gone_is_named(src: Path) -> None:
    (src / PATHS[1]).unlink()
    out = src.with_name("out")
    with pytest.raises(UserError, match=r"cat/deep/b\.png: cannot be read"):
        copy_or_link(src, PATHS, out, "copy", final=out)


def test_progress_is_told_after_every_file(src: Path) -> None:
    told: list[int] = []
    out = src.with_name("out")
    copy_or_link(src, PATHS, out, "copy", final=out, on_progress=told.append)
    assert told == [1, 2, 3]


COPIES_WITH_ROOM_FOR_5000_BYTES = """
import resource, sys
from pathlib import Path
from imbsynth.store.copies import copy_or_link

resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.RLIM_INFINITY))
out = Path(sys.argv[1]) / "out"
copy_or_link(Path(sys.argv[1]), ["a.png"], out, "copy", final=out)
"""


def test_a_copy_that_does_not_fit_is_an_error_and_no_shorter_file(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(bytes(9000))
    command = [sys.executable, "-c", COPIES_WITH_ROOM_FOR_5000_BYTES, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "File too large" in done.stderr


FILES = st.lists(
    st.tuples(st.text(min_size=1), st.text("0123456789abcdef")),
    unique_by=lambda file: file[0],  # a folder has no two files of one name
)


@given(files=FILES, data=st.data())
def test_the_digest_of_a_folder_does_not_depend_on_the_order(
    files: list[tuple[str, str]], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(files))
    one, other = (
        folder_digest([path for path, _ in order], [digest for _, digest in order])
        for order in (files, shuffled)
    )
    assert one == other


def test_the_digest_of_a_folder_changes_with_its_paths_and_contents() -> None:
    variants = [
        (["cat/a", "dog/b"], ["00", "11"]),
        (["cat/a", "dog/b"], ["11", "00"]),
        (["cat/a", "dog/b"], ["00", "12"]),
        (["cat/a", "dog/c"], ["00", "11"]),
        (["cat/a", "cat/b"], ["00", "11"]),
        (["cat/a"], ["00"]),
        (["cat/a", os.fsdecode(b"dog/\xe9")], ["00", "11"]),
        ([], []),
    ]
    assert len({folder_digest(*variant) for variant in variants}) == len(variants)


@pytest.mark.parametrize("link", LINKS)
def test_a_file_that_changed_after_it_was_read_is_named(src: Path, link: Link) -> None:
    read = {path: hashlib.sha256((src / path).read_bytes()).hexdigest() for path in PATHS}
    copy_or_link(
        src, PATHS, src.with_name("same"), link, final=src.with_name("same"), expected=read
    )
    (src / PATHS[1]).unlink()
    (src / PATHS[1]).symlink_to(src.parent / "elsewhere")
    with pytest.raises(UserError, match=f"{PATHS[1]}: changed while it was being used"):
        copy_or_link(
            src, PATHS, src.with_name("out"), link, final=src.with_name("out"), expected=read
        )


def test_a_file_may_be_touched_while_it_is_used_but_not_written(tmp_path: Path) -> None:
    """A finished training that is resumed touches its checkpoint, for make."""
    file = tmp_path / "ae.safetensors"
    file.write_bytes(b"weights")
    with unchanged(file, None):
        os.utime(file, (1, 1))
    with pytest.raises(UserError, match=r"ae\.safetensors: changed while"), unchanged(file):
        file.write_bytes(b"WEIGHTS")
    with pytest.raises(UserError, match=r"ae\.safetensors: changed while"), unchanged(file):
        file.unlink()
    with unchanged(file):
        pass
