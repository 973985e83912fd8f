"""A folder of images as one uint8 array."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imbsynth.errors import UserError
from imbsynth.store.decoding import Picture, Unreadable, decode, quiet
from imbsynth.store.folders import digest_of, read_bytes
from imbsynth.store.names import listing
from imbsynth.store.parallel import in_order, threads_for

SMALLEST_PNG = 67  # bytes: a PNG file of one pixel

OnProgress = Callable[[int], None]


class Survey(NamedTuple):
    """What one file holds."""

    path: str
    digest: str  # SHA-256 of its bytes, hexadecimal
    size: str  # "HxW" of the upright image, pixels; "" if unreadable
    mode: str  # Pillow's word for how it is stored
    alpha: bool
    problem: str  # why it cannot be read; "" if it can


class Images(NamedTuple):
    """Decoded images, one row each."""

    pixels: NDArray[np.uint8]  # (n, c, h, w), in memory or memory-mapped
    paths: list[str]  # relative to the folder
    digests: list[str]  # SHA-256 of each file, hexadecimal
    skipped: list[str]  # unreadable files that were left out
    composited: int  # images whose transparency was composited on black
    resized: int  # images that had another size
    made_rgb: int  # gray images, among colour ones or where three channels are asked for


def survey(root: Path, path: str) -> Survey:
    """Read and decode one file, and say what is in it."""
    try:
        data = read_bytes(root / path)
    except OSError as error:
        return Survey(path, "", "", "", False, _why(error))
    digest = digest_of(data)
    try:
        picture = decode(data)
    except Unreadable as error:
        return Survey(path, digest, "", "", False, str(error))
    return Survey(path, digest, size_text(picture), picture.mode, picture.alpha, "")


def survey_all(
    root: Path, paths: Sequence[str], *, cores: int, on_progress: OnProgress
) -> list[Survey]:
    """`survey` of every file, in order."""
    found: list[Survey] = []
    threads = threads_for(root, paths, cores)
    with quiet():
        for one in in_order(lambda path: survey(root, path), paths, threads=threads):
            found.append(one)
            on_progress(len(found))
    return found


def read_images(
    root: Path,
    paths: Sequence[str],
    *,
    size: tuple[int, int] | None = None,
    channels: int | None = None,
    skip_unreadable: bool = False,
    cores: int = 1,
    on_progress: OnProgress = lambda _: None,
) -> Images:
    """Decode files into one uint8 array (n, c, h, w).

    size: (height, width) in pixels to resize to; None takes the one size that all have.
    channels: 1 (colour is refused) or 3; None takes 1 if all are gray, else 3.
    Raises UserError that lists the files which cannot be read (unless `skip_unreadable`), the
    sizes if they are mixed, or the colour images among gray ones.
    """
    reader = _Reader(root, paths, size, channels)
    with quiet():
        for picture in in_order(reader.decode, paths, threads=threads_for(root, paths, cores)):
            reader.add(picture)
            on_progress(reader.seen)
    return reader.finish(skip_unreadable)


class _Reader:
    """Collects decoded images, growing from gray to colour when the first colour image comes."""

    def __init__(
        self,
        root: Path,
        paths: Sequence[str],
        size: tuple[int, int] | None,
        channels: int | None,
    ) -> None:
        self.root, self.paths, self.size, self.channels = root, paths, size, channels
        self.pixels: NDArray[np.uint8] | None = None
        self.kept: list[str] = []
        self.digests: list[str] = []
        self.unreadable: dict[str, str] = {}  # path -> why
        self.colour: list[str] = []
        self.sizes: Counter[str] = Counter()
        self.seen = 0
        self.composited = self.resized = 0

    def decode(self, path: str) -> tuple[str, Picture | None]:
        try:
            data = read_bytes(self.root / path)
            return digest_of(data), decode(data, self.size)
        except OSError as error:
            return _why(error), None
        except Unreadable as error:
            return str(error), None

    def add(self, decoded: tuple[str, Picture | None]) -> None:
        path, (digest, picture) = self.paths[self.seen], decoded
        self.seen += 1
        if picture is None:
            self.unreadable[path] = digest
            return
        self.sizes[size_text(picture)] += 1
        if picture.pixels.ndim == 3:
            self.colour.append(path)
        if len(self.sizes) > 1 or (self.colour and self.channels == 1):
            self.pixels = None  # an error is certain: only the tally goes on
            return
        self._row_for(picture)[...] = (
            picture.pixels if picture.pixels.ndim == 2 else picture.pixels.transpose(2, 0, 1)
        )
        self.kept.append(path)
        self.digests.append(digest)
        self.composited += picture.alpha
        self.resized += picture.resized

    def _row_for(self, picture: Picture) -> NDArray[np.uint8]:
        needed = self.channels or (3 if picture.pixels.ndim == 3 else 1)
        if self.pixels is None:
            self.pixels = _array((len(self.paths), needed, *picture.pixels.shape[:2]))
        elif self.pixels.shape[1] < needed:
            gray, self.pixels = self.pixels, _array((len(self.paths), 3, *self.pixels.shape[2:]))
            self.pixels[: len(self.kept)] = gray[: len(self.kept)]
        return self.pixels[len(self.kept)]

    def finish(self, skip_unreadable: bool) -> Images:
        if self.unreadable and not skip_unreadable:
            raise refused(self.root, self.unreadable)
        refuse_mixed(self.root, self.sizes)
        if self.channels == 1:
            refuse_colour(self.root, self.colour)
        if self.pixels is None:
            raise UserError(f"{self.root}: no readable images", "add images to it")
        pixels = self.pixels[: len(self.kept)]
        skipped = list(self.unreadable)
        return Images(
            pixels,
            self.kept,
            self.digests,
            skipped,
            self.composited,
            self.resized,
            len(self.kept) - len(self.colour) if pixels.shape[1] == 3 else 0,
        )


def refused(where: Path | str, unreadable: dict[str, str]) -> UserError:
    """The error that lists unreadable files, {path: why}."""
    files = [f"{path} ({why})" for path, why in unreadable.items()]
    return UserError(
        f"{where}: {len(files)} unreadable files: {listing(files)}",
        "repair or remove them, or leave them out with --skip-unreadable",
    )


def refuse_mixed(where: Path | str, sizes: Counter[str]) -> None:
    """Raise UserError if images, counted by "HxW", have more than one size."""
    if len(sizes) > 1:
        found = ", ".join(f"{size} ({n})" for size, n in sizes.most_common(5))
        more = ", ..." if len(sizes) > 5 else ""
        raise UserError(
            f"{where}: images of {len(sizes)} sizes: {found}{more}",
            f"choose one with --image-size, e.g. --image-size {sizes.most_common(1)[0][0]}",
        )


def refuse_colour(where: Path | str, colour: list[str]) -> None:
    """Raise UserError that lists the colour images among gray ones, if there are any."""
    if colour:
        raise UserError(
            f"{where}: colour images where gray ones are expected: {listing(colour)}",
            "convert them to gray, or work in colour (train-ae --channels 3)",
        )


def read_picture(root: Path, path: str, size: tuple[int, int] | None) -> Picture | str:
    """Read and decode one file, or why that is impossible."""
    try:
        return decode(read_bytes(root / path), size)
    except OSError as error:
        return _why(error)
    except Unreadable as error:
        return str(error)


def _why(error: OSError) -> str:
    return f"cannot be read: {error.strerror or error}"


def size_text(picture: Picture) -> str:
    """ "HxW" in pixels."""
    return f"{picture.pixels.shape[0]}x{picture.pixels.shape[1]}"


def _array(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Uninitialised uint8; from a nameless file where half the free memory is too small."""
    needed = int(np.prod(shape, dtype=np.int64))
    if needed <= _free_memory() // 2:
        return np.empty(shape, np.uint8)
    try:
        with tempfile.TemporaryFile() as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, needed)  # a full disk: now, not by SIGBUS
            else:
                file.truncate(needed)
            return np.memmap(file, np.uint8, "r+", shape=shape)
    except OSError as error:
        raise UserError(
            f"{shape[0]} images of {shape[2]}x{shape[3]} pixels fit neither into the memory nor "
            f"into {tempfile.gettempdir()} ({error.strerror or error})",
            "choose a smaller --image-size, or name a disk with room in the variable TMPDIR",
        ) from None


def _free_memory() -> int:
    """Bytes; where the system does not say (macOS), what a small machine has."""
    if "SC_AVPHYS_PAGES" not in os.sysconf_names:
        return 4 << 30
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def as_picture(pixels: NDArray[np.uint8]) -> Image.Image:
    """A (c, h, w) uint8 image, gray or RGB, for Pillow."""
    flat = pixels[0] if pixels.shape[0] == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0))
    return Image.fromarray(flat)
