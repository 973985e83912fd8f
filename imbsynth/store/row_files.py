"""Rows of numbers in a file, such as images: read when asked for, or before in another thread."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from math import prod
from typing import IO, Any, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from imbsynth.errors import UserError
from imbsynth.store.parallel import ahead

Batch = TypeVar("Batch")
Indices = NDArray[np.int64]
RowIndex = slice | NDArray[Any]  # numbers, or truth values for all

BLOCK = 16 << 20  # bytes of rows that are read ahead together; there are two blocks at a time
CHUNK = 16 << 20  # bytes that one call reads: systems refuse more than 2 GiB


class PixelArray(Protocol):
    """(n, c, h, w) uint8 images: an array in memory, or a `RowFile`."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def nbytes(self) -> int: ...
    def __len__(self) -> int: ...
    def __getitem__(self, rows: Any, /) -> Any: ...


class Form(NamedTuple):
    """What each row of a file is."""

    size: tuple[int, ...]  # (c, h, w) of an image, (d,) of a vector
    dtype: DTypeLike = np.uint8

    @property
    def nbytes(self) -> int:
        """Of one row."""
        return prod(self.size) * np.dtype(self.dtype).itemsize


class _Block(NamedTuple):
    """Rows that were read ahead."""

    rows: Indices  # ascending, each once
    values: NDArray[Any]


class Stored:
    """A file of rows, one after another; closed when nothing refers to it any more."""

    def __init__(self, file: IO[bytes], form: Form, name: str) -> None:
        """name: of the file, for messages."""
        self.file, self.form, self.name = file, form, name
        self.block: _Block | None = None
        weakref.finalize(self, file.close)

    def rows(self, rows: Indices) -> NDArray[Any]:
        """Rows in any order, from the block that was read ahead as far as they are in it."""
        if self.block is None or not len(self.block.rows):
            return self.read(rows)
        places = np.searchsorted(self.block.rows, rows).clip(max=len(self.block.rows) - 1)
        there = self.block.rows[places] == rows
        if there.all():
            return self.block.values[places]
        found = self._empty(len(rows))
        found[there] = self.block.values[places[there]]
        found[~there] = self.read(rows[~there])
        return found

    def read(self, rows: Indices) -> NDArray[Any]:
        """Rows in any order; from the file each once, those in a row together."""
        wanted, places = np.unique(rows, return_inverse=True)
        found = self._empty(len(wanted))
        for part in runs_of(wanted):
            self._read_into(bytes_of(found[part]), int(wanted[part.start]))
        return found if np.array_equal(wanted, rows) else found[places]

    def _empty(self, count: int) -> NDArray[Any]:
        return np.empty((count, *self.form.size), self.form.dtype)

    def _read_into(self, target: memoryview, row: int) -> None:
        """Not mapped into memory: pages would count as the process's, and a cut file kills it."""
        done, first = 0, row * self.form.nbytes
        while done < len(target):
            size = min(CHUNK, len(target) - done)
            data = os.pread(self.file.fileno(), size, first + done)
            if not data:
                raise UserError(
                    f"{self.name} was cut off while it was in use", "run the command again"
                )
            target[done : done + len(data)] = data
            done += len(data)


class RowFile:
    """Rows in a file, or some of them, such as (n, c, h, w) images; used like an array."""

    def __init__(self, stored: Stored, count: int, places: Indices | None = None) -> None:
        """count: of rows; places: those in the file, if they are not its first ones."""
        self._stored, self._count, self._places = stored, count, places

    @property
    def shape(self) -> tuple[int, ...]:
        """Such as (n, c, h, w)."""
        return (self._count, *self._stored.form.size)

    @property
    def nbytes(self) -> int:
        """What the rows would take in memory."""
        return self._count * self._stored.form.nbytes

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, rows: int | RowIndex) -> NDArray[Any]:
        """A copy of some rows; IndexError outside of 0..n-1."""
        if isinstance(rows, int | np.integer):
            return self[np.array([rows])][0]
        return self._stored.rows(self._in_file(rows))

    def some(self, rows: RowIndex) -> RowFile:
        """Some of the rows, which are not read yet."""
        places = self._in_file(rows)
        return RowFile(self._stored, len(places), places)

    def ahead(
        self, batches: Iterable[Batch], rows_of: Callable[[Batch], Indices]
    ) -> Generator[Batch, None, None]:
        """The same batches, while their rows are read in another thread, block by block.

        Rows that are not asked for by then are read all the same: only the time differs.
        """
        with closing(ahead(self._blocks(iter(batches), rows_of), 1)) as ready:
            try:
                for some, block in ready:
                    self._stored.block = block
                    yield from some
            finally:
                self._stored.block = None

    def _blocks(
        self, batches: Iterator[Batch], rows_of: Callable[[Batch], Indices]
    ) -> Iterator[tuple[list[Batch], _Block]]:
        some: list[Batch] = []
        rows: list[Indices] = []
        most, count = BLOCK // self._stored.form.nbytes, 0
        for batch in batches:
            some.append(batch)
            rows.append(self._in_file(rows_of(batch)))
            count += len(rows[-1])
            if count >= most:
                yield some, self._block(rows)
                some, rows, count = [], [], 0
        if some:
            yield some, self._block(rows)

    def _block(self, rows: list[Indices]) -> _Block:
        wanted = np.unique(np.concatenate(rows))
        return _Block(wanted, self._stored.read(wanted))

    def _in_file(self, rows: RowIndex) -> Indices:
        """The numbers of some rows in the file."""
        if isinstance(rows, slice):
            wanted: Indices = np.arange(*rows.indices(len(self)))
        else:
            wanted = np.arange(len(self))[rows] if rows.dtype == bool else rows
        if len(wanted) and not 0 <= wanted.min() <= wanted.max() < len(self):
            raise IndexError(f"not all of these are in 0..{len(self) - 1}")
        return wanted if self._places is None else self._places[wanted]


def runs_of(rows: Indices) -> Iterator[slice]:
    """Where ascending numbers follow each other without a gap."""
    starts = np.flatnonzero(np.diff(rows, prepend=-2) != 1).tolist()
    ends = [*starts, len(rows)][1:]
    return (slice(start, end) for start, end in zip(starts, ends, strict=True))


def bytes_of(values: NDArray[Any]) -> memoryview:
    """Those of a contiguous array, which it shares."""
    return values.view(np.uint8).reshape(-1).data


def in_chunks(pixels: PixelArray) -> Iterator[NDArray[np.uint8]]:
    """All of the images, in parts of about `CHUNK` bytes."""
    at_once = max(1, CHUNK // prod(pixels.shape[1:]))
    return (pixels[start : start + at_once] for start in range(0, len(pixels), at_once))


def some_of(pixels: PixelArray, rows: NDArray[Any]) -> PixelArray:
    """Some of the images: a copy in memory, or what is read later where they are in a file."""
    found: PixelArray = pixels.some(rows) if isinstance(pixels, RowFile) else pixels[rows]
    return found
