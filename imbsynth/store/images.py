"""A folder of images as one uint8 array."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imbsynth.configs import Fit, Size
from imbsynth.errors import UserError, option
from imbsynth.store.image_reader import ImageReader, ImageRules, OnProgress, Pixels
from imbsynth.store.memory import free_memory

SMALLEST_PNG = 67  # bytes: a PNG file of one pixel
MOST_IN_MEMORY = 256 << 20  # bytes of pixels: more than all of CIFAR
UNTOLD = 4 << 30  # bytes of memory, where the system does not tell: what a small machine has


class ImageForm(NamedTuple):
    """What images are brought to when a folder is read."""

    size: Size | None = None  # (height, width) in pixels; None takes the one size that all have
    channels: int | None = None  # 1 or 3; None takes 1 if no image shows a colour, else 3
    fit: Fit = "squash"  # how images of other proportions get to the size
    skip_unreadable: bool = False  # leave out files that cannot be decoded


AS_THEY_ARE = ImageForm()


class Images(NamedTuple):
    """Decoded images, one row each."""

    pixels: NDArray[np.uint8]  # (n, c, h, w), in memory or memory-mapped
    paths: list[str]  # relative to the folder
    digests: list[str]  # SHA-256 of each file, hexadecimal
    pixel_digests: list[str]  # of each image's own pixels, before resizing
    skipped: list[str]  # unreadable files that were left out
    composited: int  # images whose transparency was composited on black
    resized: int  # images that had another size
    made_rgb: int  # gray images among colour ones, or where three channels are asked for
    made_gray: int  # colour images where one channel is asked for


def read_images(
    root: Path,
    paths: Sequence[str],
    form: ImageForm = AS_THEY_ARE,
    *,
    cores: int = 1,
    on_progress: OnProgress = lambda _: None,
) -> Images:
    """Decode files into one uint8 array (n, c, h, w).

    on_progress: called after every file with the number of files read.
    Raises UserError like `ImageReader.images`, and if no file can be read.
    """
    rules = ImageRules(form.size, True, form.channels == 1, form.skip_unreadable, form.fit)
    reader = ImageReader(root, paths, rules, cores=cores)
    array = _GrowingArray(len(paths), form.channels)
    kept, digests, pixel_digests = [], [], []
    with closing(reader.images(on_progress)) as images:
        for place, digest, picture in images:
            array.add(picture.pixels)
            kept.append(paths[place])
            digests.append(digest)
            pixel_digests.append(picture.digest)
    if array.pixels is None:
        raise UserError(f"{root}: no readable images", "add images to it")
    pixels = array.pixels[: len(kept)]
    return Images(
        pixels,
        kept,
        digests,
        pixel_digests,
        skipped=list(reader.unreadable),
        composited=reader.composited,
        resized=reader.resized,
        made_rgb=len(kept) - reader.in_colour if pixels.shape[1] == 3 else 0,
        made_gray=reader.in_colour if pixels.shape[1] == 1 else 0,
    )


class _GrowingArray:
    """Rows for images, which turn from gray to colour when the first colour image comes."""

    def __init__(self, most: int, channels: int | None) -> None:
        self.most, self.channels, self.filled = most, channels, 0
        self.pixels: NDArray[np.uint8] | None = None

    def add(self, pixels: Pixels) -> None:
        row = self._next_row(pixels)
        row[...] = pixels if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
        self.filled += 1

    def _next_row(self, pixels: Pixels) -> NDArray[np.uint8]:
        needed = self.channels or (3 if pixels.ndim == 3 else 1)
        if self.pixels is None:
            self.pixels = _array((self.most, needed, *pixels.shape[:2]))
        elif self.pixels.shape[1] < needed:
            gray, self.pixels = self.pixels, _array((self.most, 3, *pixels.shape[:2]))
            self.pixels[: self.filled] = gray[: self.filled]
        return self.pixels[self.filled]


def _array(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Uninitialised uint8; a large one from a nameless file, whose memory the system takes back."""
    needed, free = int(np.prod(shape, dtype=np.int64)), free_memory()
    fits = needed <= (UNTOLD if free is None else free) // 2
    if fits and needed <= MOST_IN_MEMORY:
        return np.empty(shape, np.uint8)
    try:
        return _mapped(shape, needed)
    except OSError as error:
        if fits:
            return np.empty(shape, np.uint8)
        raise UserError(
            f"{shape[0]} images of {shape[2]}x{shape[3]} pixels fit neither into the memory nor "
            f"into {tempfile.gettempdir()} ({error.strerror or error})",
            f"choose a smaller {option('image_size')}, or name a disk with room in the "
            "environment variable TMPDIR",
        ) from None


def _mapped(shape: tuple[int, ...], needed: int) -> NDArray[np.uint8]:
    with tempfile.TemporaryFile() as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, needed)  # a full disk: now, not by SIGBUS
        else:
            file.truncate(needed)
        return np.memmap(file, np.uint8, "r+", shape=shape)


def as_picture(pixels: NDArray[np.uint8]) -> Image.Image:
    """A (c, h, w) uint8 image, gray or RGB, for Pillow."""
    flat = pixels[0] if pixels.shape[0] == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0))
    return Image.fromarray(flat)
