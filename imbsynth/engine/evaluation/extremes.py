"""The images of each class that are worth a look: those with the highest of some score."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imbsynth.figures.sheets import MAX_ROWS, SheetRow, write_sheet

PER_CLASS = 10  # images

_Item = tuple[float, int, NDArray[np.uint8], str]  # score, minus its number, pixels, caption


def rarest_first(counts: Mapping[str, int]) -> list[int]:
    """The indices of the classes by rising number of training images."""
    sizes = list(counts.values())
    return sorted(range(len(sizes)), key=lambda k: sizes[k])


class Extremes:
    """Collects a row of images per class. Its size does not depend on how many are added."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        """counts: training images by class; rare classes come first."""
        self._names = list(counts)
        self._rank = {label: rank for rank, label in enumerate(rarest_first(counts))}
        self._heaps: dict[int, list[_Item]] = {}
        self._shown: set[int] = set()
        self._added = 0

    def add(self, label: int, score: float, pixels: NDArray[np.uint8], caption: str) -> None:
        """An image of a class: (c, h, w). Of equal scores the first one stays."""
        if label not in self._heaps:
            self._make_room(label)
        if label not in self._shown:
            return
        heap = self._heaps[label]
        self._added += 1
        if len(heap) < PER_CLASS:
            heapq.heappush(heap, (score, -self._added, pixels.copy(), caption))
        elif score > heap[0][0]:
            heapq.heapreplace(heap, (score, -self._added, pixels.copy(), caption))

    def _make_room(self, label: int) -> None:
        """A row for another class; classes beyond the last row of the sheet are only counted."""
        self._heaps[label] = []
        order = sorted(self._heaps, key=self._rank.__getitem__)
        for far in order[MAX_ROWS:]:
            self._heaps[far].clear()
        self._shown = set(order[:MAX_ROWS])

    def write(self, path: Path, heading: str) -> bool:
        """Draw the sheet, rare classes first; whether there is anything to draw."""
        rows = []
        for label in sorted(self._heaps, key=self._rank.__getitem__):
            items = sorted(self._heaps[label], reverse=True)
            pixels, captions = [item[2] for item in items], [item[3] for item in items]
            rows.append(SheetRow(self._names[label], [pixels], [captions]))
        if rows:
            write_sheet(path, rows, [heading])
        return bool(rows)
