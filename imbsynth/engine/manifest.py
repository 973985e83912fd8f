"""The manifest of a generated folder: which of its images are not real, and what they are made of.

Every command asks here whether an image is synthetic.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

from imbsynth.errors import UserError
from imbsynth.store.folders import is_inside
from imbsynth.store.records import MANIFEST, read_lines

PREFIX = "synthetic-"  # of the names of synthetic images' files
RECONSTRUCT = "reconstruct"  # the method of originals that went through the autoencoder


class Made(NamedTuple):
    """How an image came about that is not a real one."""

    method: str  # "smote", ..., or RECONSTRUCT
    parents: tuple[str, ...]  # the paths of the images it is made of; none for a generator's


def file_of(class_name: str, row: int, suffix: str = ".png") -> str:
    """Where the image of a row of the plan goes, relative to the folder; files count from 1."""
    return f"{class_name}/{PREFIX}{row + 1:06d}{suffix}"


def is_named_synthetic(path: str) -> bool:
    """Whether an image has a name that only synthetic images have."""
    return path.rpartition("/")[2].startswith(PREFIX)


def has_manifest(folder: Path) -> bool:
    """Whether `generate` made the folder."""
    return (folder / MANIFEST).is_file()


def refuse_synthetic(src: Path) -> None:
    """Raise UserError if `generate` made the folder: its synthetic images would pass for real."""
    if has_manifest(src):
        raise UserError(
            f"{src} holds synthetic images (it has a {MANIFEST})",
            "give the folder of real images that they were made from",
        )


def made_of(src: Path) -> dict[str, Made]:
    """The images of a folder that are not real, by path.

    Empty for a folder that `generate` did not make; UserError for a manifest that is damaged. The
    lines of version 0.1 name two parents, `base` and `neighbour`.
    """
    if not has_manifest(src):
        return {}
    made: dict[str, Made] = {}
    for number, line in enumerate(read_lines(src / MANIFEST), 1):
        file, method, parents = line.get("file"), line.get("method"), _parents(line)
        if not _is_path(file) or not isinstance(method, str) or parents is None:
            raise UserError(
                f"{src / MANIFEST}: line {number} does not name an image in the folder, how it was "
                "made, and the images it is made of",
                "restore the file, or generate the folder again",
            )
        made[file] = Made(method, parents)
    return made


def _parents(line: dict[str, Any]) -> tuple[str, ...] | None:
    """The parents that a line names; None if what it names cannot be paths in the folder."""
    found = line.get("parents") if "parents" in line else [line.get("base"), line.get("neighbour")]
    if not isinstance(found, list) or not all(map(_is_path, found)):
        return None
    return tuple(found)


def _is_path(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and is_inside(value)
