"""How much a disk can take."""

from __future__ import annotations

import os
from pathlib import Path

from imbsynth.errors import UserError


def check_room(folder: Path, what: str, *, files: int, size: int) -> None:
    """Raise UserError if the disk of `folder` cannot take files of `size` bytes each.

    A file takes whole blocks. No guarantee, since others write too, but it saves hours of work
    that must end in a full disk. `what` tells the files in the message.
    """
    disk = os.statvfs(folder)
    blocks = files * -(-size // disk.f_frsize)
    if blocks > disk.f_bavail:
        lack = (f"{n * disk.f_frsize / 1e6:,.2f} MB" for n in (blocks, disk.f_bavail))
    elif disk.f_files and files > disk.f_favail:
        lack = (f"{n:,} files" for n in (files, disk.f_favail))
    else:
        return
    needed, there = lack
    raise UserError(
        f"{folder}: {what} would take {needed}, and the disk has room for {there}",
        "free some space, ask for less, or choose another disk",
    )
