"""Image files read in order, one by one or in batches, with one set of rules and refusals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbsynth.configs import Fit, Size
from imbsynth.errors import UserError, option
from imbsynth.store.decoding import DecodedImage, is_gray, quiet
from imbsynth.store.headers import mixed_sizes
from imbsynth.store.image_files import ImageFile, read_image_file
from imbsynth.store.names import listing, number_of
from imbsynth.store.parallel import ahead, in_order, threads_for

AHEAD = 2  # batches decoded before they are asked for
MOST_BYTES = 64 << 20  # of a batch, so that photographs take no more memory than small images

OnProgress = Callable[[int], None]
Pixels = NDArray[np.uint8]  # (h, w) gray or (h, w, 3) colour


class ImageRules(NamedTuple):
    """What the images must be like."""

    size: tuple[int, int] | None = None  # (height, width) in pixels to resize to
    one_size: bool = False  # mixed sizes are refused
    gray: bool = False  # colour becomes gray
    skip_unreadable: bool = False
    fit: Fit = "squash"  # how images of other proportions get to `size`


class ReadImage(NamedTuple):
    """A decoded image."""

    place: int  # in the list of paths
    digest: str  # SHA-256 of the file, hexadecimal
    picture: DecodedImage


class Findings(NamedTuple):
    """What is odd about files that were read."""

    unreadable: dict[str, str]  # path -> why
    sizes: dict[Size, int]  # -> images
    in_colour: int  # images
    composited: int
    resized: int


class ImageBatch(NamedTuple):
    """Some decoded images, in the order of the paths."""

    pixels: list[Pixels]
    places: list[int]  # of each in the list of paths
    digests: list[str]  # SHA-256 of each file, hexadecimal
    seen: int  # files read so far, unreadable ones included


class ImageReader:
    """Reads files in order, and counts what was odd about them."""

    def __init__(
        self,
        root: Path,
        paths: Sequence[str],
        rules: ImageRules,
        *,
        cores: int = 1,
        where: str | None = None,
    ) -> None:
        """paths: relative to `root`; where: the folder or folders, for messages."""
        self.root, self.paths, self.rules, self.cores = root, paths, rules, cores
        self.where = str(root) if where is None else where
        self.unreadable: dict[str, str] = {}  # path -> why
        self.sizes: Counter[Size] = Counter()  # -> images
        self.in_colour = self.composited = self.resized = 0  # images

    def images(self, on_progress: OnProgress = lambda _: None) -> Generator[ReadImage, None, None]:
        """The images one by one, those left out excepted.

        Raises UserError that lists the files which cannot be read (unless they are to be skipped),
        or the sizes if they are mixed: after the last file, so that all can be listed. No image
        comes once an error is certain.
        """
        with quiet():
            yield from self._accepted(on_progress)
        self.refuse()

    def batches(self, batch_size: int) -> Generator[ImageBatch, None, None]:
        """Batches of the images of `batch_size` files, or of 64 MiB; otherwise like `images`.

        A batch ends with its files, counted from the first one, also where some are left out.

        They are decoded in another thread, beside the caller's work on the batch before.
        """
        with quiet(), closing(ahead(self._batched(batch_size), AHEAD)) as ready:
            for batch in ready:
                if not self.fails:
                    yield batch
        self.refuse()

    @property
    def findings(self) -> Findings:
        """What was odd about the files read so far, a copy."""
        counts = (self.in_colour, self.composited, self.resized)
        return Findings(dict(self.unreadable), dict(self.sizes), *counts)

    def take_in(self, findings: Findings) -> None:
        """Count what another reader, of some of the same paths, has found."""
        unreadable = self.unreadable | findings.unreadable
        self.unreadable = {path: unreadable[path] for path in self.paths if path in unreadable}
        self.sizes.update(findings.sizes)
        self.in_colour += findings.in_colour
        self.composited += findings.composited
        self.resized += findings.resized

    def _batched(self, batch_size: int) -> Iterator[ImageBatch]:
        pixels: list[Pixels] = []
        places: list[int] = []
        digests: list[str] = []
        size, end = 0, batch_size  # bytes of the batch; files, after the last one of the batch
        for image in self._accepted():
            while image.place >= end:
                yield ImageBatch(pixels, places, digests, end)
                pixels, places, digests, size = [], [], [], 0
                end += batch_size
            pixels.append(image.picture.pixels)
            places.append(image.place)
            digests.append(image.digest)
            size += image.picture.pixels.nbytes
            if size >= MOST_BYTES:
                yield ImageBatch(pixels, places, digests, image.place + 1)
                pixels, places, digests, size = [], [], [], 0
        for last in range(end, len(self.paths), batch_size):
            yield ImageBatch(pixels, places, digests, last)
            pixels, places, digests = [], [], []
        yield ImageBatch(pixels, places, digests, len(self.paths))

    def _accepted(self, on_progress: OnProgress = lambda _: None) -> Iterator[ReadImage]:
        threads = threads_for(self.root, self.paths, self.cores)
        files = in_order(self._read, self.paths, threads=threads)
        for place, file in enumerate(files):
            self._count(self.paths[place], file)
            if file.picture is not None and not self.fails:
                yield ReadImage(place, file.digest, file.picture)
            on_progress(place + 1)

    def _read(self, path: str) -> ImageFile:
        return read_image_file(
            self.root / path, self.rules.size, as_gray=self.rules.gray, fit=self.rules.fit
        )

    def _count(self, path: str, file: ImageFile) -> None:
        picture = file.picture
        if picture is None:
            self.unreadable[path] = file.problem
            return
        self.sizes[picture.pixels.shape[0], picture.pixels.shape[1]] += 1
        self.in_colour += picture.coloured
        self.composited += picture.alpha
        self.resized += picture.resized

    @property
    def fails(self) -> bool:
        """Whether an error is certain."""
        if self.unreadable and not self.rules.skip_unreadable:
            return True
        return self.rules.one_size and len(self.sizes) > 1

    def refuse(self) -> None:
        """Raise UserError if one of the rules is broken."""
        if self.unreadable and not self.rules.skip_unreadable:
            raise _unreadable(self.where, self.unreadable)
        if self.rules.one_size and len(self.sizes) > 1:
            raise mixed_sizes(self.where, self.sizes)


def _unreadable(where: str, unreadable: dict[str, str]) -> UserError:
    files = [f"{path} ({why})" for path, why in unreadable.items()]
    return UserError(
        f"{where}: {number_of(len(files), 'unreadable file')}: {listing(files)}",
        f"repair or remove them, or leave them out with {option('skip_unreadable')}",
    )


def all_gray(paths: Sequence[str]) -> bool:
    """Whether no file is in colour, by its header alone; unreadable ones do not count."""
    with quiet():
        return all(is_gray(Path(path)) for path in paths)


def size_of_first(paths: Sequence[str], where: str) -> tuple[int, int]:
    """(height, width) in pixels, upright, of the first file that can be read; UserError if none."""
    unreadable = {}
    with quiet():
        for path in paths:
            file = read_image_file(Path(path))
            if file.picture is not None:
                return file.picture.pixels.shape[0], file.picture.pixels.shape[1]
            unreadable[path] = file.problem
    raise _unreadable(where, unreadable)
