"""What files an output folder consists of, so that no others are removed with it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from imbsynth.store.folders import digest_of, read_bytes


def inventory(folder: Path, *, apart: str) -> dict[str, str]:
    """Every file below a folder, by its relative path: its digest, or where it points to.

    apart: the file that will hold the inventory, and is not in it.
    """
    found = sorted(path for path in _files(folder) if path != apart)
    return {path: _content(folder / path) for path in found}


def strange_files(folder: Path, known: Mapping[str, object], *, apart: str) -> list[str]:
    """The files that are not in an inventory, or differ from it; those missing do not count.

    apart: the file that holds the inventory, and is not in it.
    """
    found = sorted(path for path in _files(folder) if path != apart)
    return [path for path in found if path not in known or known[path] != _content(folder / path)]


def _files(folder: Path) -> Iterator[str]:
    """The paths of everything but folders; a link to a folder is a file."""
    for place, folders, files in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        for name in (*files, *links):
            yield os.path.relpath(os.path.join(place, name), folder)


def _content(path: Path) -> str:
    if path.is_symlink():
        return f"a link to {os.readlink(path)}"
    if not path.is_file():
        return "not a file"
    try:
        return digest_of(read_bytes(path))
    except OSError:
        return "unreadable"
