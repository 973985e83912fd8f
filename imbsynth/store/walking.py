"""Which files lie below a folder, without ever leaving it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from imbsynth.errors import UserError
from imbsynth.store.names import printable


class WalkedFolder(NamedTuple):
    """A folder and what is directly in it, by name; sorted."""

    path: Path
    folders: list[str]  # may be reduced by the reader: only those left are entered
    files: list[str]  # regular files
    odd: list[str]  # links, pipes and the like, and folders that cannot be listed


def walk_inside(root: Path) -> Iterator[WalkedFolder]:
    """The folder and every folder below it, from the top; hidden files and folders are left out.

    Links are never followed, and only regular files are listed: reading them neither leaves the
    folder nor waits for a pipe. UserError if the folder itself cannot be listed.
    """
    if not root.is_dir():
        what = "not a folder" if root.exists() else "no such folder"
        raise UserError(f"{root}: {what}", "give a folder with outputs of imbsynth")
    found = _listed(root)
    if found is None:
        raise UserError(f"{printable(str(root))}: cannot be listed", "make the folder readable")
    yield from _below(found)


def _below(walked: WalkedFolder) -> Iterator[WalkedFolder]:
    inner = {name: _listed(walked.path / name) for name in walked.folders}
    shut = [name for name, found in inner.items() if found is None]
    walked.odd.extend(shut)
    walked.folders[:] = [name for name in walked.folders if name not in shut]
    yield walked
    for name in walked.folders:
        found = inner[name]
        if found is not None:
            yield from _below(found)


def _listed(folder: Path) -> WalkedFolder | None:
    """What is in one folder; None if it cannot be listed."""
    walked = WalkedFolder(folder, [], [], [])
    kinds = {stat.S_IFDIR: walked.folders, stat.S_IFREG: walked.files}
    try:
        for name in sorted(os.listdir(folder)):
            if not name.startswith("."):
                mode = os.lstat(folder / name).st_mode
                kinds.get(stat.S_IFMT(mode), walked.odd).append(name)
    except OSError:
        return None
    return walked
