"""A folder of images a batch at a time, decoded beside the work on the batch before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbsynth.store.decoding import Picture, is_gray, quiet
from imbsynth.store.images import (
    read_picture,
    refuse_colour,
    refuse_mixed,
    refused,
    size_text,
)
from imbsynth.store.parallel import ahead, in_order, threads_for

AHEAD = 2  # batches decoded before they are asked for
MOST_BYTES = 64 << 20  # of a batch, so that a folder of photographs takes no more memory

File = tuple[Path, str]  # a folder, and a path relative to it
Pixels = NDArray[np.uint8]  # (h, w) gray or (h, w, 3) colour


class Rules(NamedTuple):
    """What the images must be like."""

    size: tuple[int, int] | None = None  # (height, width) in pixels to resize to
    one_size: bool = False  # refuse mixed sizes
    gray: bool = False  # refuse colour
    skip_unreadable: bool = False


class Batch(NamedTuple):
    """Some images, in the order of the files."""

    pixels: list[Pixels]
    places: list[int]  # of each in the list of files
    seen: int  # files up to here, unreadable ones included


class Stream:
    """Reads files in batches, and tells afterwards what was odd about them."""

    def __init__(self, files: Sequence[File], rules: Rules, batch_size: int, cores: int) -> None:
        self.files, self.rules, self.batch_size, self.cores = files, rules, batch_size, cores
        self.unreadable: dict[str, str] = {}  # path -> why
        self.colour: list[str] = []
        self.sizes: Counter[str] = Counter()
        self.composited = self.resized = 0

    def batches(self) -> Generator[Batch, None, None]:
        """Batches of at most `batch_size` images and 64 MiB, across classes and folders.

        Raises UserError like `read_images`, after the last file so that it can list them all;
        no batch comes once an error is certain.
        """
        with quiet(), closing(ahead(self._cut(), AHEAD)) as ready:
            for batch in ready:
                if not self._wrong():
                    yield batch
        self._refuse()

    def _cut(self) -> Iterator[Batch]:
        pixels: list[Pixels] = []
        places: list[int] = []
        size = 0  # bytes
        for place, decoded in enumerate(self._decoded()):
            if self._takes(place, decoded) and isinstance(decoded, Picture):
                pixels.append(decoded.pixels)
                places.append(place)
                size += decoded.pixels.nbytes
            if len(pixels) == self.batch_size or size >= MOST_BYTES:
                yield Batch(pixels, places, place + 1)
                pixels, places, size = [], [], 0
        yield Batch(pixels, places, len(self.files))

    def _decoded(self) -> Iterator[Picture | str]:
        paths = [str(root / path) for root, path in self.files]
        threads = threads_for(Path(), paths, self.cores)
        size = self.rules.size
        return in_order(lambda file: read_picture(*file, size), self.files, threads=threads)

    def _takes(self, place: int, decoded: Picture | str) -> bool:
        """Note what an image is like; whether it goes into a batch."""
        path = str(Path(*self.files[place]))
        if isinstance(decoded, str):
            self.unreadable[path] = decoded
            return False
        self.sizes[size_text(decoded)] += 1
        if decoded.pixels.ndim == 3 and self.rules.gray:
            self.colour.append(path)
        self.composited += decoded.alpha
        self.resized += decoded.resized
        return not self._wrong()

    def _wrong(self) -> bool:
        unreadable = bool(self.unreadable) and not self.rules.skip_unreadable
        return unreadable or bool(self.colour) or (self.rules.one_size and len(self.sizes) > 1)

    def _refuse(self) -> None:
        where = " and ".join(dict.fromkeys(str(root) for root, _ in self.files))
        if self.unreadable and not self.rules.skip_unreadable:
            raise refused(where, self.unreadable)
        if self.rules.one_size:
            refuse_mixed(where, self.sizes)
        refuse_colour(where, self.colour)


def all_gray(files: Sequence[File]) -> bool:
    """Whether no file is in colour, by its header alone; unreadable ones do not count."""
    with quiet():
        return all(is_gray(root / path) for root, path in files)


def size_of_first(files: Sequence[File]) -> tuple[int, int]:
    """(height, width) in pixels, upright, of the first file that can be read; UserError if none."""
    unreadable = {}
    with quiet():
        for root, path in files:
            picture = read_picture(root, path, None)
            if isinstance(picture, Picture):
                return picture.pixels.shape[0], picture.pixels.shape[1]
            unreadable[path] = picture
    raise refused(files[0][0], unreadable)
