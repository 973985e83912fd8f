"""The sheet of `generate`: synthetic images beside what they are made of."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imbsynth.core.plans import Plan
from imbsynth.engine.sources.rendering import Planned, Rendered
from imbsynth.figures.sheets import MAX_ROWS, SheetRow, write_sheet
from imbsynth.runtime import World

PER_CLASS = 4  # synthetic images shown of each class
MAX_PARENTS = 3  # shown of each, those of the largest weights

Pixels = NDArray[np.uint8]  # (c, h, w)
Picture = Callable[[int], Pixels]


class SampleSheet:
    """Collects the first few synthetic images of each class."""

    def __init__(self, classes: list[str], picture: Picture) -> None:
        """picture: the pixels of an image of the folder, by its index."""
        self._classes, self._picture = classes, picture
        self._groups: dict[int, list[list[Pixels]]] = {}

    def add(self, batch: Planned | Rendered) -> None:
        """Take from a batch what its class still lacks; what is not computed is a copy."""
        groups = self._groups.setdefault(batch.label, [])
        if list(self._groups).index(batch.label) >= MAX_ROWS:
            return  # counted, not shown
        for row in range(min(PER_CLASS - len(groups), len(batch.plan.rows))):
            parents = self._parents(batch.plan, row)
            made = batch.pixels[row].copy() if isinstance(batch, Rendered) else parents[0]
            groups.append([*parents, made])

    def _parents(self, plan: Plan, row: int) -> list[Pixels]:
        """The images of the heaviest parents."""
        heaviest = np.argsort(-np.abs(plan.weights[row]), kind="stable")[:MAX_PARENTS]
        shown = plan.parents[row, np.sort(heaviest)].tolist()
        return [self._picture(i) for i in shown]

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
        widest = max((len(one) for groups in self._groups.values() for one in groups), default=0)
        rows = [
            SheetRow(names[label], [_padded(group, widest) for group in groups])
            for label, groups in self._groups.items()
        ]
        if not rows:
            return False
        heading = ("synthetic", "parent, synthetic", "parents, synthetic")[min(widest - 1, 2)]
        write_sheet(path, rows, [heading] * PER_CLASS)
        return True


def _padded(group: list[Pixels], length: int) -> list[Pixels]:
    """Parents and the synthetic image, at the same places in every row: the first repeated.

    A class of one image has one parent where others have two.
    """
    return [group[0]] * (length - len(group)) + group
