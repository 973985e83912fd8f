"""The sheet of `generate`: synthetic images beside what they are made of."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imbsynth.core.plans import Plan
from imbsynth.engine.sources.rendering import Batch, Planned
from imbsynth.figures.sheets import MAX_ROWS, SheetRow, write_sheet
from imbsynth.runtime import World

PER_CLASS = 4  # synthetic images shown of each class
MIN_PARENTS, MAX_PARENTS = 2, 3  # shown of each, those of the largest weights

Picture = Callable[[int], NDArray[np.uint8]]  # (c, h, w)


class SampleSheet:
    """Collects the first few synthetic images of each class."""

    def __init__(self, classes: list[str], picture: Picture) -> None:
        """picture: the pixels of an image of the folder, by its index."""
        self._classes, self._picture = classes, picture
        self._groups: dict[int, list[list[NDArray[np.uint8]]]] = {}

    def add(self, batch: Planned | Batch) -> None:
        """Take from a batch what its class still lacks; what is not computed is a copy."""
        groups = self._groups.setdefault(batch.label, [])
        if list(self._groups).index(batch.label) >= MAX_ROWS:
            return  # counted, not shown
        for row in range(min(PER_CLASS - len(groups), len(batch.plan.rows))):
            parents = self._parents(batch.plan, row)
            made = batch.pixels[row].copy() if isinstance(batch, Batch) else parents[0]
            groups.append([*parents, made])

    def _parents(self, plan: Plan, row: int) -> list[NDArray[np.uint8]]:
        """The images of the heaviest parents; a single one twice, none without parents."""
        heaviest = np.argsort(-np.abs(plan.weights[row]), kind="stable")[:MAX_PARENTS]
        shown = plan.parents[row, np.sort(heaviest)].tolist()
        pictures = [self._picture(i) for i in shown]
        return pictures * MIN_PARENTS if len(pictures) == 1 else pictures

    def join(self, world: World) -> None:
        """Take what other processes have collected, whose batches follow or precede the own."""
        found = world.gathered(self._groups)
        self._groups = {}
        for label, groups in chain.from_iterable(part.items() for part in found):
            own = self._groups.setdefault(label, [])
            if list(self._groups).index(label) < MAX_ROWS:
                own += groups[: PER_CLASS - len(own)]

    def write(self, path: Path) -> bool:
        """Draw the sheet, a row per class; whether there is anything to draw."""
        names = self._classes
        rows = [SheetRow(names[label], groups) for label, groups in self._groups.items()]
        if not rows:
            return False
        parents = len(rows[0].groups[0]) - 1
        heading = "parents, synthetic" if parents else "synthetic"
        write_sheet(path, rows, [heading] * PER_CLASS)
        return True
