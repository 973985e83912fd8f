"""Where a path leads: into which folder, and what can be put there; where temporary files go."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from imbsynth.errors import UserError

_MOUNTS = Path("/proc/self/mountinfo")  # of Linux


def lies_in(path: Path, folder: Path) -> bool:
    """Whether a path, which need not exist yet, is the folder or in it.

    By names without links, and by what the system knows the folders above it by: a bind mount
    shows one folder at two places.
    """
    inner, outer = os.path.realpath(path), os.path.realpath(folder)
    if os.path.commonpath([inner, outer]) == outer:
        return True
    wanted = _identity(outer)
    above = [inner, *map(str, Path(inner).parents)]
    return wanted is not None and any(_identity(one) == wanted for one in above)


def _identity(path: str) -> tuple[int, int] | None:
    """What is equal for two paths to one folder; None if there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def is_mount_point(path: Path) -> bool:
    """Whether something is mounted there, in whose place nothing can be put.

    `os.path.ismount` does not see a folder or a file that is bound from the same disk.
    """
    if os.path.ismount(path):
        return True
    try:
        lines = _MOUNTS.read_bytes().splitlines()
    except OSError:
        return False  # another system, without such mounts
    name = os.fsencode(os.path.join(os.path.realpath(path.absolute().parent), path.name))
    return any(_unescaped(line.split()[4]) == name for line in lines)


def temporary_place() -> str:
    """The folder for temporary files; UserError if none can be written, or if all are full."""
    try:
        return tempfile.gettempdir()
    except FileNotFoundError:
        raise UserError(
            "no temporary folder can be written",
            "name a disk with room in the environment variable TMPDIR",
        ) from None


def _unescaped(name: bytes) -> bytes:
    """A name out of mountinfo, which writes spaces and line ends as octal numbers."""
    return re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), name)
