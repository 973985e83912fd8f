"""Lists of which files belong together, as users write them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from imbsynth.errors import UserError
from imbsynth.store.folders import read_regular
from imbsynth.store.names import printable

FILE, GROUP = "file", "group"  # the columns


class Line(NamedTuple):
    """What a list says of a file."""

    number: int  # counted from 1, the header included
    group: str


def read_groups(path: Path) -> dict[str, Line]:
    """{file: its line} out of a CSV file with the columns file and group; others may be there.

    UserError names the line that is wrong: without a group, or with a file that was there before.
    """
    text = read_regular(path).decode("utf-8-sig", "surrogateescape")
    try:
        return _lines(path, io.StringIO(text, newline=""))
    except csv.Error as error:
        raise _wrong(path, str(error)) from None


def _lines(path: Path, file: Iterable[str]) -> dict[str, Line]:
    rows = csv.DictReader(file)
    if rows.fieldnames is None or not {FILE, GROUP} <= set(rows.fieldnames):
        raise _wrong(path, f"its first line does not name the columns {FILE} and {GROUP}")
    found: dict[str, Line] = {}
    for row in rows:
        name, group = row[FILE], row[GROUP]
        if not name or not group:
            raise _wrong(path, f"line {rows.line_num} has no {GROUP if name else FILE}")
        if name in found:
            raise UserError(
                f"{path}: {printable(name)} is in line {found[name].number} and in line "
                f"{rows.line_num}",
                "remove one of the lines: a file has one group",
            )
        found[name] = Line(rows.line_num, group)
    return found


def _wrong(path: Path, problem: str) -> UserError:
    return UserError(
        f"{path}: {problem}",
        f"write a first line `{FILE},{GROUP}`, then one line for each image, like "
        "`cat/001.png,patient 7`",
    )
