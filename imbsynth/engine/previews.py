"""What names and headers tell of a folder, so that it is checked before any image is decoded."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from imbsynth.configs import Size, within
from imbsynth.store.folders import ImageFolder
from imbsynth.store.headers import mixed_sizes, sizes_of


class Preview(NamedTuple):
    """What names and headers tell of a folder, before any image is decoded."""

    folder: ImageFolder
    size: Size | None  # that the images will have; None where only decoding can tell


class Fits(NamedTuple):
    """What the images are for."""

    check: Callable[[Preview], None] = lambda _: None  # raises UserError
    longest: int | None = None  # pixels: larger images are made smaller where no size is asked for


ANYTHING = Fits()


def size_by_headers(
    folder: ImageFolder, longest: int | None, *, skip_unreadable: bool
) -> tuple[Size | None, Size | None]:
    """The size that the images will have, and, if larger ones are made smaller, this size again.

    Raises UserError for mixed sizes; with `skip_unreadable`, unreadable files do not count.
    """
    found = sizes_of(folder.root, folder.paths(), doubted=skip_unreadable)
    most = longest or max(map(max, found), default=0)
    reached = {within(size, most) for size in found}
    if len(reached) == 1:
        (size,) = reached
        return size, None if reached == set(found) else size
    if reached:
        raise mixed_sizes(str(folder.root), found, longest)
    return None, None
