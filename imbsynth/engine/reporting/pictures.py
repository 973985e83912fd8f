"""Pictures for a page: files below the folder that are whole, and not too many bytes."""

from __future__ import annotations

import os
from pathlib import Path

from imbsynth.engine.reporting.below import Below
from imbsynth.errors import UserError
from imbsynth.pages.blocks import Picture
from imbsynth.store.decoding import Unreadable, decode
from imbsynth.store.folders import is_inside, read_regular
from imbsynth.store.names import printable
from imbsynth.store.png import SIGNATURE

MOST = 64 << 20  # bytes of all pictures: browsers open larger pages, but nobody mails them


def picture(below: Below, path: str, alt: str, caption: str) -> list[Picture]:
    """The picture of a PNG file, or none if there is no such file, with a line on what is wrong."""
    if not is_own(below.root, path):
        return []
    found = below.attempt(path, lambda: _read(below, path, alt, caption))
    if found is None:
        return []
    below.picture_bytes += len(found.data)
    return [found]


def is_own(root: Path, path: str) -> bool:
    """Whether a path leads to a regular file below the root, through no link."""
    place = root / path
    straight = os.path.join(os.path.realpath(root), *path.split("/"))
    return is_inside(path) and os.path.realpath(place) == straight and place.is_file()


def _read(below: Below, path: str, alt: str, caption: str) -> Picture:
    data = read_regular(below.root / path)
    problem = ""
    if below.picture_bytes + len(data) > MOST:
        problem = f"not shown: the page has {MOST >> 20} MiB of pictures already"
    elif not data.startswith(SIGNATURE):
        problem = "not a PNG file"
    else:
        try:
            height, width = decode(data).pixels.shape[:2]
            return Picture(data, (height, width), alt, caption)
        except Unreadable as error:
            problem = str(error)
    raise UserError(f"{printable(path)}: {problem}", "look at the file itself")
