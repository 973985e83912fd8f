"""The sheet of `generate`: synthetic images beside what they are made of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imbsynth.core.plans import Plan
from imbsynth.engine.reading import Labelled
from imbsynth.engine.sources.rendering import Batch
from imbsynth.figures.sheets import MAX_ROWS, SheetRow, write_sheet

PER_CLASS = 4  # synthetic images shown of each class
MIN_PARENTS, MAX_PARENTS = 2, 3  # shown of each, those of the largest weights


class SampleSheet:
    """Collects the first few synthetic images of each class."""

    def __init__(self, images: Labelled) -> None:
        self._images = images
        self._groups: dict[int, list[list[NDArray[np.uint8]]]] = {}

    def add(self, batch: Batch) -> None:
        """Take from a batch what its class still lacks."""
        groups = self._groups.setdefault(batch.label, [])
        if list(self._groups).index(batch.label) >= MAX_ROWS:
            return  # counted, not shown
        for row in range(min(PER_CLASS - len(groups), len(batch.pixels))):
            groups.append([*self._parents(batch.plan, row), batch.pixels[row].copy()])

    def _parents(self, plan: Plan, row: int) -> list[NDArray[np.uint8]]:
        """The images of the heaviest parents; a single one twice, none without parents."""
        heaviest = np.argsort(-np.abs(plan.weights[row]), kind="stable")[:MAX_PARENTS]
        shown = plan.parents[row, np.sort(heaviest)].tolist()
        if len(shown) == 1:
            shown *= MIN_PARENTS
        return [self._images.pixels[i] for i in shown]

    def write(self, path: Path) -> bool:
        """Draw the sheet, a row per class; whether there is anything to draw."""
        names = self._images.classes
        rows = [SheetRow(names[label], groups) for label, groups in self._groups.items()]
        if not rows:
            return False
        parents = len(rows[0].groups[0]) - 1
        heading = "parents, synthetic" if parents else "synthetic"
        write_sheet(path, rows, [heading] * PER_CLASS)
        return True
