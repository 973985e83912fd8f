"""A folder of images as one uint8 array."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imbsynth.configs import Fit, Size
from imbsynth.errors import UserError
from imbsynth.store.digests import Digests
from imbsynth.store.filling import SpillFile
from imbsynth.store.growing import GrowingImages
from imbsynth.store.image_reader import ImageReader, ImageRules, OnProgress
from imbsynth.store.row_files import PixelArray

SMALLEST_PNG = 67  # bytes: a PNG file of one pixel


class ImageForm(NamedTuple):
    """What images are brought to when a folder is read."""

    size: Size | None = None  # (height, width) in pixels; None takes the one size that all have
    channels: int | None = None  # 1 or 3; None takes 1 if no image shows a colour, else 3
    fit: Fit = "squash"  # how images of other proportions get to the size
    skip_unreadable: bool = False  # leave out files that cannot be decoded


AS_THEY_ARE = ImageForm()


class Images(NamedTuple):
    """Decoded images, one row each."""

    pixels: PixelArray  # (n, c, h, w), in memory or in a file
    paths: list[str]  # relative to the folder
    digests: Digests  # SHA-256 of each file
    pixel_digests: Digests  # of each image's own pixels, before resizing
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
    spill: SpillFile | None = None,
) -> Images:
    """Decode files into one uint8 array (n, c, h, w).

    on_progress: called after every file with the number of files read. spill: where the images go
    if they take more memory than there is room for; None: to a nameless file.
    Raises UserError like `ImageReader.images`, and if no file can be read.
    """
    rules = ImageRules(form.size, True, form.channels == 1, form.skip_unreadable, form.fit)
    reader = ImageReader(root, paths, rules, cores=cores)
    growing = GrowingImages(len(paths), form.channels, spill)
    kept, digests, pixel_digests = [], Digests(), Digests()
    with closing(reader.images(on_progress)) as images:
        for number, digest, picture in images:
            growing.add(picture.pixels)
            kept.append(paths[number])
            digests.append(digest)
            pixel_digests.append(picture.digest)
    pixels = growing.whole()
    if pixels is None:
        raise UserError(f"{root}: no readable images", "add images to it")
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


def as_picture(pixels: NDArray[np.uint8]) -> Image.Image:
    """A (c, h, w) uint8 image, gray or RGB, for Pillow."""
    flat = pixels[0] if pixels.shape[0] == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0))
    return Image.fromarray(flat)
