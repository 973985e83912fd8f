"""How much a disk can take."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from imbsynth.errors import UserError


def check_room(folder: Path, what: str, sizes: Sequence[int]) -> None:
    """Raise UserError if the disk of `folder` cannot take files of these sizes, in bytes.

    A file takes whole blocks. No guarantee, since others write too, but it saves hours of work
    that must end in a full disk. `what` tells the files in the message.
    """
    disk = os.statvfs(folder)
    blocks = sum(-(-size // disk.f_frsize) for size in sizes)
    if blocks > disk.f_bavail:
        lack = (f"{size * disk.f_frsize / 1e6:,.2f} MB" for size in (blocks, disk.f_bavail))
    elif disk.f_files and len(sizes) > disk.f_favail:
        lack = (f"{size:,} files" for size in (len(sizes), disk.f_favail))
    else:
        return
    needed, there = lack
    raise UserError(
        f"{folder}: {what} would take {needed}, and the disk has room for {there}",
        "free some space, ask for less, or choose another disk",
    )
