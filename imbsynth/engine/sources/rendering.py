"""Synthetic images, a batch at a time: memory does not grow with how many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbsynth.core.plans import Plan
from imbsynth.engine.sources.source import Source
from imbsynth.runtime import ALONE, World

MOST_TRIES = 20  # rows of the plan for each image that is kept

# A class, some rows of its plan, their (m, c, h, w) images -> for each, why it is dropped, or "".
Check = Callable[[int, Plan, NDArray[np.uint8]], list[str]]


class Planned(NamedTuple):
    """Some synthetic images of a class, as rows of the plan that they are made from."""

    label: int
    plan: Plan


class Rendered(NamedTuple):
    """The same, computed."""

    label: int
    plan: Plan
    pixels: NDArray[np.uint8]  # (m, c, h, w)


def planned(
    source: Source, added: list[int], epoch: int = 0, *, world: World = ALONE
) -> Iterator[Planned]:
    """The first `added[label]` rows of each class, in class order; in epoch 1 the next, and so on.

    A batch holds one class and begins at a multiple of `source.rows_at_once`, so that an image is
    always computed in the same place of a batch: with more images of a class, or of another one,
    the bytes of the first ones stay as they are. Of several processes, each gets its share of the
    batches.
    """
    size = source.rows_at_once
    starts = [(label, start) for label, n in enumerate(added) for start in range(0, n, size)]
    for label, start in starts[world.share(len(starts))]:
        count = added[label]
        rows = epoch * count + np.arange(start, min(start + size, count))
        yield Planned(label, source.plan(label, rows))


def render(
    source: Source, added: list[int], epoch: int = 0, *, world: World = ALONE
) -> Iterator[Rendered]:
    """The images of `planned`."""
    for label, plan in planned(source, added, epoch, world=world):
        yield Rendered(label, plan, source.images(label, plan).numpy())


class Tally:
    """How many images of each class passed a check, and how many did not, by reason."""

    def __init__(self, classes: list[str]) -> None:
        self.classes = classes
        self.added = dict.fromkeys(classes, 0)
        self.dropped: dict[str, dict[str, int]] = {}

    def count(self, label: int, kept: int, reasons: Iterable[str]) -> None:
        """Add images of a class; reasons: of those that were dropped."""
        name = self.classes[label]
        self.added[name] += kept
        for reason in reasons:
            counts = self.dropped.setdefault(name, {})
            counts[reason] = counts.get(reason, 0) + 1


def render_kept(source: Source, added: list[int], check: Check, tally: Tally) -> Iterator[Rendered]:
    """The images of the first `added[label]` rows of each class that pass a check.

    Whether a row is kept depends on the row alone: more images of a class begin with the fewer. If
    too few of the first `MOST_TRIES` times as many rows pass, the class gets fewer images.
    """
    size = source.rows_at_once
    for label, count in enumerate(added):
        missing = count
        for start in range(0, MOST_TRIES * count, size):
            plan = source.plan(label, np.arange(start, start + size))
            pixels = source.images(label, plan).numpy()
            reasons = check(label, plan, pixels)
            kept = np.flatnonzero([not reason for reason in reasons])[:missing]
            missing -= len(kept)
            tried = reasons if missing else reasons[: kept[-1] + 1]
            tally.count(label, len(kept), filter(None, tried))
            if len(kept):
                yield Rendered(label, plan.some(kept), pixels[kept])
            if not missing:
                break
