from __future__ import annotations

import os
from pathlib import Path

import pytest

from imbsynth.errors import UserError
from imbsynth.store.group_lists import Line, read_groups


def test_lines_by_file(tmp_path: Path) -> None:
    path = tmp_path / "groups.csv"
    path.write_text('\ufeffage,group,file\n7,p 1,a/0.png\n,"p, 2","b/x,y.png"\n', encoding="utf-8")
    assert read_groups(path) == {"a/0.png": Line(2, "p 1"), "b/x,y.png": Line(3, "p, 2")}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "its first line does not name the columns file and group"),
        ("a/0.png,p1\n", "its first line does not name"),
        ("file,group\na/0.png,p1\na/1.png\n", "line 3 has no group"),
        ("file,group\n,p1\n", "line 2 has no file"),
        ("file,group\na/0.png,p1\na/1.png,p1\na/0.png,p2\n", "a/0.png is in line 2 and in line 4"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "groups.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=problem):
        read_groups(path)


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.csv: cannot be read"):
        read_groups(tmp_path / "none.csv")


def test_what_is_no_regular_file_is_named_at_once(tmp_path: Path) -> None:
    """A list is read more than once, which a pipe cannot be."""
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "pipe.csv", tmp_path):
        with pytest.raises(UserError, match="cannot be read"):
            read_groups(path)
