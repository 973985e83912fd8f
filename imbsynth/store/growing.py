"""Images put together one by one: in memory as far as they may be, otherwise in a file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbsynth.errors import UserError, option
from imbsynth.store.memory import in_memory
from imbsynth.store.pixel_files import PixelArray, PixelFile, Stored, in_chunks
from imbsynth.store.places import temporary_place

Shape = tuple[int, ...]  # (n, c, h, w)


class Place(NamedTuple):
    """Where images go that memory has no room for."""

    name: str  # of the folder
    open: Callable[[], IO[bytes]]  # an empty file, to write and to read
    advice: str  # what to do if it is full


def nameless() -> Place:
    """A file without a name, which ends with the process; UserError where none can be written."""
    return Place(
        temporary_place(),
        tempfile.TemporaryFile,
        f"name a disk with room in the environment variable TMPDIR or with {option('cache')}, or "
        f"choose a smaller {option('image_size')}",
    )


def named(path: Path) -> Place:
    """A file of that name, made anew every time that it is opened."""

    def opened() -> IO[bytes]:
        path.unlink(missing_ok=True)
        return open(path, "x+b")

    return Place(
        str(path.parent),
        opened,
        f"free some space, give another {option('cache')}, or choose a smaller "
        f"{option('image_size')}",
    )


class Growing:
    """Rows for images, which turn from gray to colour when the first colour image comes."""

    def __init__(self, most: int, channels: int | None = None, place: Place | None = None) -> None:
        """most: images that may come; place: where they go beyond memory; None: nameless."""
        self.most, self.channels = most, channels
        self._place = place
        self._rows: _InMemory | _InFile | None = None

    def add(self, pixels: NDArray[np.uint8]) -> None:
        """Another image, (h, w) gray or (h, w, 3) colour."""
        image = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
        least = self._rows.shape[1] if self._rows else 1
        channels = self.channels or max(least, len(image))
        self.extend(np.broadcast_to(image, (channels, *image.shape[1:]))[None])

    def extend(self, images: NDArray[np.uint8]) -> None:
        """More images, (m, c, h, w), all of one size."""
        if self._rows is None:
            self._rows = self._empty(images.shape[1:])
        elif self._rows.shape[1] < images.shape[1]:
            gray, self._rows = self._rows, self._empty(images.shape[1:])
            size = self._rows.shape[1:]
            for some in in_chunks(gray.whole()):
                self._rows.append(np.broadcast_to(some, (len(some), *size)))
        self._rows.append(images)

    def whole(self) -> PixelArray | None:
        """All the images; None if there are none."""
        return None if self._rows is None else self._rows.whole()

    def _empty(self, size: Shape) -> _InMemory | _InFile:
        shape = (self.most, *size)
        array = in_memory(shape)
        return _InFile(shape, self._place or nameless()) if array is None else _InMemory(array)


def joined_pixels(first: PixelArray, second: PixelArray) -> PixelArray:
    """The (n, c, h, w) images of both, in memory or in a file."""
    growing = Growing(len(first) + len(second))
    for pixels in (first, second):
        for some in in_chunks(pixels):
            growing.extend(some)
    whole = growing.whole()
    if whole is None:
        raise ValueError("there are no images")
    return whole


class _InMemory:
    """Images in an array."""

    def __init__(self, array: NDArray[np.uint8]) -> None:
        self.array, self.shape, self.filled = array, array.shape, 0

    def append(self, images: NDArray[np.uint8]) -> None:
        self.array[self.filled : self.filled + len(images)] = images
        self.filled += len(images)

    def whole(self) -> NDArray[np.uint8]:
        return self.array[: self.filled]


class _InFile:
    """Images in a file; UserError where the disk has no room for them."""

    def __init__(self, shape: Shape, place: Place) -> None:
        self.shape, self.place, self.filled = shape, place, 0
        with self._explained():
            self.stored = Stored(place.open(), shape[1:], f"a file in {place.name}")
            if hasattr(os, "posix_fallocate"):  # a full disk: before any work
                os.posix_fallocate(self.stored.file.fileno(), 0, prod(shape))

    def append(self, images: NDArray[np.uint8]) -> None:
        with self._explained():
            self.stored.file.write(np.ascontiguousarray(images).data)
        self.filled += len(images)

    def whole(self) -> PixelFile:
        with self._explained():
            self.stored.file.flush()
            self.stored.file.truncate(self.filled * prod(self.shape[1:]))
        return PixelFile(self.stored, self.filled)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        count, _, height, width = self.shape
        try:
            yield
        except OSError as error:
            raise UserError(
                f"{count} images of {height}x{width} pixels take {prod(self.shape) / 1e6:,.1f} MB: "
                f"more than {option('memory')} leaves them, and {self.place.name} has no room "
                f"({error.strerror or error})",
                self.place.advice,
            ) from None
