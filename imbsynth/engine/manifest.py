"""The manifest of a generated folder: which of its images are not real, and what they are made of.

Every command asks here whether an image is synthetic.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

from imbsynth.errors import UserError
from imbsynth.store.digests import DigestSet, as_set
from imbsynth.store.folders import is_digest, is_inside, scan
from imbsynth.store.names import listing
from imbsynth.store.records import ENCODED, MANIFEST, read_digests, read_lines, write_digests

PREFIX = "synthetic-"  # of the names of synthetic images' files
_NAMED = re.compile(PREFIX + r"\d{6,}\.")  # whatever format they were converted to
RECONSTRUCT = "reconstruct"  # the method of originals that went through the autoencoder


class Made(NamedTuple):
    """How an image came about that is not a real one."""

    method: str  # "smote", ..., or RECONSTRUCT
    parents: tuple[str, ...]  # the paths of the images it is made of; none for a generator's
    parent_digests: frozenset[str] = frozenset()  # of their files and pixels; none in version 0.1

    def shows(self, paths: AbstractSet[str], identities: AbstractSet[str]) -> bool:
        """Whether a parent has one of the digests; for version 0.1, is at one of the paths."""
        if self.parent_digests:
            return not identities.isdisjoint(self.parent_digests)
        return not paths.isdisjoint(self.parents)


def file_of(class_name: str, row: int, suffix: str = ".png") -> str:
    """Where the image of a row of the plan goes, relative to the folder; files count from 1."""
    return f"{class_name}/{PREFIX}{row + 1:06d}{suffix}"


def has_manifest(folder: Path) -> bool:
    """Whether `generate` made the folder."""
    return (folder / MANIFEST).is_file()


def synthetic_among(paths: Iterable[str], made: Mapping[str, Made]) -> list[str]:
    """Those of the paths that are not real images: `made` has them, or their name says so.

    made: what `made_of` gives for their folder. A folder may have lost its manifest.
    """
    return [path for path in paths if path in made or _NAMED.match(path.rpartition("/")[2])]


def refuse_synthetic(src: Path, paths: Sequence[str] | None = None) -> None:
    """Raise UserError if there are synthetic images in the folder: they would pass for real.

    paths: its images, where they are known.
    """
    if has_manifest(src):
        why = f"it has a {MANIFEST}"
    else:
        images = scan(src, empty_ok=True).paths() if paths is None else paths
        found = synthetic_among(images, {})
        if not found:
            return
        why = f"by name: {listing(found)}"
    raise UserError(
        f"{src} holds synthetic images ({why})",
        "give a folder of real images; to split or reduce one, do that before generating",
    )


def refuse_unexplained(src: Path, paths: Iterable[str], made: Mapping[str, Made]) -> None:
    """Raise UserError for synthetic images of which no manifest says what they are made of."""
    unknown = [path for path in synthetic_among(paths, made) if path not in made]
    if unknown:
        raise UserError(
            f"{src}: no {MANIFEST} says what {len(unknown)} synthetic images are made of: "
            f"{listing(unknown)}",
            "give the folder as generate made it, or rename them if they are real",
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
        made[file] = Made(method, parents, _digests(line))
    return made


def write_encoded(folder: Path, identities: Iterable[str]) -> None:
    """Keep, beside a manifest, the digests of what the network has learned from."""
    write_digests(folder / ENCODED, identities)


def encoded_for(folder: Path) -> DigestSet:
    """The digests of what the network of a generated folder has learned from.

    Empty for a folder made without one, or by version 0.1; UserError for a damaged file.
    """
    path = folder / ENCODED
    return as_set(read_digests(path) if path.is_file() else [])


def _digests(line: dict[str, Any]) -> frozenset[str]:
    """The digests of the parents, of their files and of their pixels; what is none is left out."""
    found: list[Any] = []
    for name in ("parent_digests", "parent_pixels"):
        given = line.get(name)
        found += given if isinstance(given, list) else []
    return frozenset(one for one in found if is_digest(one))


def _parents(line: dict[str, Any]) -> tuple[str, ...] | None:
    """The parents that a line names; None if what it names cannot be paths in the folder."""
    found = line.get("parents") if "parents" in line else [line.get("base"), line.get("neighbour")]
    if not isinstance(found, list) or not all(map(_is_path, found)):
        return None
    return tuple(found)


def _is_path(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and is_inside(value)
