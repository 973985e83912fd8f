"""Images put together one by one: in memory as far as they may be, otherwise in a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imbsynth.errors import option
from imbsynth.store.filling import Buffer, FilledFile, SpillFile, buffer_for, named, nameless
from imbsynth.store.row_files import Form, PixelArray, in_chunks


def nameless_images() -> SpillFile:
    """For images of one command; see `nameless`."""
    return nameless(f" or with {option('cache')}, or choose a smaller {option('image_size')}")


def cached_images(path: Path) -> SpillFile:
    """For images that a cache keeps; see `named`."""
    return named(
        path,
        f"free some space, give another {option('cache')}, or choose a smaller "
        f"{option('image_size')}",
    )


class GrowingImages:
    """Rows for images, which turn from gray to colour when the first colour image comes."""

    def __init__(
        self, most: int, channels: int | None = None, spill: SpillFile | None = None
    ) -> None:
        """most: images that may come; spill: where they go beyond memory; None: nameless."""
        self.most, self.channels, self.filled = most, channels, 0
        self._spill = spill
        self._rows: Buffer | None = None

    def add(self, pixels: NDArray[np.uint8]) -> None:
        """Another image, (h, w) gray or (h, w, 3) colour."""
        image = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
        least = self._rows.shape[1] if self._rows is not None else 1
        channels = self.channels or max(least, len(image))
        self.extend(np.broadcast_to(image, (channels, *image.shape[1:]))[None])

    def extend(self, images: NDArray[np.uint8]) -> None:
        """More images, (m, c, h, w), all of one size."""
        rows = self._rows
        if rows is None:
            rows = self._empty(images.shape[1:])
        elif rows.shape[1] < images.shape[1]:
            rows = self._in_colour(rows, images.shape[1:])
        rows[self.filled : self.filled + len(images)] = images
        self._rows, self.filled = rows, self.filled + len(images)

    def whole(self) -> PixelArray | None:
        """All the images, to which none are added any more; None if there are none."""
        return None if self._rows is None else _first(self._rows, self.filled)

    def _in_colour(self, gray: Buffer, size: tuple[int, ...]) -> Buffer:
        """Room for colour images, with the gray ones that are there."""
        rows, done = self._empty(size), 0
        for some in in_chunks(_first(gray, self.filled)):
            rows[done : done + len(some)] = np.broadcast_to(some, (len(some), *size))
            done += len(some)
        return rows

    def _empty(self, size: tuple[int, ...]) -> Buffer:
        what = f"{self.most} images of {size[1]}x{size[2]} pixels"
        rows = buffer_for(Form(size), self.most, what, lambda: self._spill or nameless_images())
        if isinstance(rows, FilledFile):
            rows.reserve()
        return rows


def _first(rows: Buffer, count: int) -> PixelArray:
    return rows.first(count) if isinstance(rows, FilledFile) else rows[:count]


def joined_pixels(first: PixelArray, second: PixelArray) -> PixelArray:
    """The (n, c, h, w) images of both, in memory or in a file."""
    growing = GrowingImages(len(first) + len(second))
    for pixels in (first, second):
        for some in in_chunks(pixels):
            growing.extend(some)
    whole = growing.whole()
    if whole is None:
        raise ValueError("there are no images")
    return whole
