"""Synthetic images, a batch at a time: memory does not grow with how many there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbsynth.core.plans import Plan
from imbsynth.engine.sources.source import Source


class Planned(NamedTuple):
    """Some synthetic images of a class, as rows of the plan that they are made from."""

    label: int
    plan: Plan


class Batch(NamedTuple):
    """The same, computed."""

    label: int
    plan: Plan
    pixels: NDArray[np.uint8]  # (m, c, h, w)


def planned(source: Source, added: list[int]) -> Iterator[Planned]:
    """The first `added[label]` rows of each class, in class order.

    A batch holds one class and begins at a multiple of `source.rows_at_once`, so that an image is
    always computed in the same place of a batch: with more images of a class, or of another one,
    the bytes of the first ones stay as they are.
    """
    size = source.rows_at_once
    for label, count in enumerate(added):
        for start in range(0, count, size):
            rows = np.arange(start, min(start + size, count))
            yield Planned(label, source.plan(label, rows))


def render(source: Source, added: list[int]) -> Iterator[Batch]:
    """The images of `planned`."""
    for label, plan in planned(source, added):
        yield Batch(label, plan, source.images(label, plan).numpy())
