"""Rows that are written in any order: in memory as far as they may be, otherwise in a file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbsynth.errors import UserError, option
from imbsynth.store.memory import in_memory
from imbsynth.store.places import temporary_place
from imbsynth.store.row_files import CHUNK, Form, RowFile, RowIndex, Stored, bytes_of, runs_of


class SpillFile(NamedTuple):
    """Where rows go that memory has no room for."""

    name: str  # of the folder
    open: Callable[[], IO[bytes]]  # an empty file, to write and to read
    advice: str  # what to do if it is full


def nameless(advice: str = "") -> SpillFile:
    """A file without a name, which ends with the process; UserError where none can be written.

    advice: what else helps than another disk.
    """
    advice = f"name a disk with room in the environment variable TMPDIR{advice}"
    return SpillFile(temporary_place(), tempfile.TemporaryFile, advice)


def named(path: Path, advice: str) -> SpillFile:
    """A file of that name, made anew every time that it is opened; advice: if there is no room."""

    def opened() -> IO[bytes]:
        path.unlink(missing_ok=True)
        return open(path, "x+b")

    return SpillFile(str(path.parent), opened, advice)


class FilledFile(RowFile):
    """Rows in a file that is being written; UserError where the disk has no room for them."""

    def __init__(self, form: Form, count: int, spill: SpillFile, what: str) -> None:
        """An empty file for `count` rows; what: they are, in the plural, for messages."""
        self._spill, self._what, self._most = spill, what, count * form.nbytes
        with self._explained():
            stored = Stored(spill.open(), form, f"a file in {spill.name}")
        super().__init__(stored, count)

    def __setitem__(self, rows: RowIndex, values: NDArray[Any]) -> None:
        """Write some rows, in any order, but each once; IndexError outside of 0..n-1."""
        wanted = self._in_file(rows)
        order = np.argsort(wanted)
        wanted, form = wanted[order], self._stored.form
        given = np.ascontiguousarray(values[order], form.dtype)
        with self._explained():
            for run in runs_of(wanted):
                self._write(bytes_of(given[run]), int(wanted[run.start]) * form.nbytes)

    def reserve(self) -> None:
        """Take the room on the disk for all rows: if it is full, that is said before any work."""
        if hasattr(os, "posix_fallocate"):
            with self._explained():
                os.posix_fallocate(self._stored.file.fileno(), 0, self._most)

    def first(self, count: int) -> RowFile:
        """The first rows, where no others were written; what was reserved for them is given up."""
        with self._explained():
            os.truncate(self._stored.file.fileno(), count * self._stored.form.nbytes)
        return RowFile(self._stored, count)

    def _write(self, data: memoryview, start: int) -> None:
        while data:
            done = os.pwrite(self._stored.file.fileno(), data[:CHUNK], start)
            data, start = data[done:], start + done

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UserError(
                f"{self._what} take {self._most / 1e6:,.1f} MB: more than {option('memory')} "
                f"leaves them, and {self._spill.name} has no room ({error.strerror or error})",
                self._spill.advice,
            ) from None


Buffer = NDArray[Any] | FilledFile


def buffer_for(
    form: Form, count: int, what: str, spill: Callable[[], SpillFile] = nameless
) -> Buffer:
    """Room for `count` rows, in memory or in a file; what: they are, in the plural, for messages.

    Of rows that are never written, memory and disk take nothing, though they count.
    """
    array = in_memory((count, *form.size), form.dtype)
    return FilledFile(form, count, spill(), what) if array is None else array
