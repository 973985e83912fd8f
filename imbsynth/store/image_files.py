"""What one image file holds, and a survey of many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imbsynth.configs import Fit, Size, size_text, within
from imbsynth.errors import UserError
from imbsynth.store.decoding import DecodedImage, Unreadable, decode, header_size, quiet
from imbsynth.store.drafts import drafting
from imbsynth.store.folders import digest_of, read_bytes
from imbsynth.store.names import printable
from imbsynth.store.parallel import in_order, threads_for
from imbsynth.store.picture_cache import current, key_of


class ImageFile(NamedTuple):
    """A file that was read, and decoded if possible."""

    digest: str  # SHA-256 of its bytes, hexadecimal; "" if they cannot be read
    picture: DecodedImage | None
    problem: str  # why there is no picture; "" if there is one


def read_image_file(
    path: Path,
    size: Size | None = None,
    *,
    as_gray: bool = False,
    fit: Fit = "squash",
    pixels: bool = True,
) -> ImageFile:
    """Read and decode one file; `size` (height, width) in pixels resizes, by `fit`.

    Without `pixels`, those of the picture need not be right: their shape is. Within
    `drafts.drafted(True)`, a large JPEG file is decoded at a fraction of its size.
    """
    try:
        data = read_bytes(path)
    except OSError as error:
        return ImageFile("", None, f"cannot be read: {error.strerror or error}")
    digest = digest_of(data)
    draft = drafting()
    cache, key = current(), key_of(digest, size, as_gray, fit, *(["draft"] if draft else []))
    picture = None if cache is None else cache.load(key, pixels=pixels)
    if picture is None:
        try:
            picture = decode(data, size, as_gray=as_gray, fit=fit, draft=draft)
        except Unreadable as error:
            return ImageFile(digest, None, str(error))
        if cache is not None:
            cache.save(key, picture)
    return ImageFile(digest, picture, "")


def thumbnail(path: Path, longest: int) -> NDArray[np.uint8]:
    """(c, h, w): an image at no more than `longest` pixels per side; UserError if unreadable."""
    with quiet():
        size = header_size(path)
        found = read_image_file(path, size and within(size, longest))
    if found.picture is None:
        raise UserError(f"{printable(str(path))}: {found.problem}", "repair or remove it")
    pixels = found.picture.pixels
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


class Survey(NamedTuple):
    """What a file holds, without its pixels."""

    path: str
    digest: str  # SHA-256 of its bytes, hexadecimal; "" if they cannot be read
    pixel_digest: str  # of its pixels; "" if unreadable
    size: str  # "HxW" of the upright image, pixels; "" if unreadable
    mode: str  # Pillow's name for how it is stored; "" if unreadable
    alpha: bool  # whether it has transparency
    problem: str  # why it cannot be read; "" if it can
    thumb: NDArray[np.uint8] | None = None  # (side, side) gray, if asked for and readable

    @property
    def identity(self) -> str:
        """Equal for files that show the same image; for unreadable ones, if their bytes are."""
        return self.pixel_digest or self.digest or self.path


def survey_all(
    root: Path,
    paths: Sequence[str],
    *,
    cores: int,
    on_progress: Callable[[int], None],
    thumb: int | None = None,
) -> list[Survey]:
    """Read and decode every file, and say what is in it, in the order of the paths.

    thumb: pixels per side of the square thumbnails to keep; None keeps none.
    """
    found: list[Survey] = []
    threads = threads_for(root, paths, cores)
    with quiet():
        for one in in_order(lambda path: _survey(root, path, thumb), paths, threads=threads):
            found.append(one)
            on_progress(len(found))
    return found


def _survey(root: Path, path: str, thumb: int | None) -> Survey:
    digest, picture, problem = read_image_file(root / path, pixels=thumb is not None)
    if picture is None:
        return Survey(path, digest, "", "", "", False, problem)
    size = size_text(picture.pixels.shape)
    small = None if thumb is None else _small(picture.pixels, thumb)
    return Survey(path, digest, picture.digest, size, picture.mode, picture.alpha, "", small)


def _small(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """(side, side): an image in gray, each pixel the mean of those in its place."""
    gray = Image.fromarray(pixels).convert("L")
    return np.asarray(gray.resize((side, side), Image.Resampling.BOX))


def same_images(found: Sequence[Survey]) -> list[list[str]]:
    """Groups of files that show the same image, in whatever bytes; of unreadable ones, by bytes."""
    groups: dict[str, list[str]] = defaultdict(list)
    for one in found:
        groups[one.identity].append(one.path)
    return [paths for paths in groups.values() if len(paths) > 1]
