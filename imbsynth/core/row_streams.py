"""Random numbers for the rows of a plan, each of which can be drawn again alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]  # (m,) row numbers, from 0

_WORDS = 4  # 64-bit numbers that Philox makes per step of its counter


class RowStream:
    """Random numbers by row: those of row i depend on the stream and on i alone.

    They come from Philox, a generator that can start anywhere (Salmon et al., 2011): however rows
    are grouped into batches, and whichever rows came before, a row gets the same numbers.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        """A stream whose key is drawn from `rng`."""
        self._key = rng.integers(0, 2**64, size=2, dtype=np.uint64)

    def uniforms(self, rows: Rows, count: int) -> NDArray[np.float64]:
        """(m,) row numbers -> (m, count) numbers in [0, 1); `count` is always the same."""
        starts = np.flatnonzero(np.diff(rows, prepend=-2) != 1)
        runs = np.split(rows, starts[1:]) if len(rows) else []
        drawn = [self._random(int(run[0]) * count, len(run) * count) for run in runs]
        return np.concatenate([*drawn, np.empty(0)]).reshape(len(rows), count)

    def normals(self, rows: Rows, count: int) -> NDArray[np.float64]:
        """(m,) row numbers -> (m, count) standard normal numbers, likewise.

        By the inverse of the distribution function: the usual ways use a varying number of
        uniform numbers, so that no row could be drawn alone.
        """
        from scipy.special import ndtri

        return ndtri(self.uniforms(rows, count) + 2.0**-54)  # never 0, where it is infinite

    def generator(self, row: int) -> np.random.Generator:
        """A generator for one row, for methods that need an unknown number of draws."""
        # The third word of the counter is 0 for `uniforms`: no number is drawn twice.
        return np.random.Generator(np.random.Philox(key=self._key, counter=[0, row, 1, 0]))

    def _random(self, first: int, count: int) -> NDArray[np.float64]:
        """Numbers first, first + 1, ... of the endless sequence."""
        bits = np.random.Philox(key=self._key)
        bits.advance(first // _WORDS)
        skipped = first % _WORDS
        return np.random.Generator(bits).random(skipped + count)[skipped:]
