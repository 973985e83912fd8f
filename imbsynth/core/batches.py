"""Which images a training step sees, drawn before the step is computed."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]

PROGRESS = 1e-3  # the smallest fall of a loss that counts, as a share of it


class ClassBatch(NamedTuple):
    """Images of one class, and the order in which their latent vectors are decoded."""

    members: Indices  # (n,) image indices
    order: Indices  # (n,) a permutation of 0..n-1


def draw_batches(
    count: int, batch_size: int, rng: np.random.Generator, *, total: int | None = None
) -> list[Indices]:
    """A random order of 0..count-1, split into batches of nearly equal size, at most `batch_size`.

    Nearly equal, so that the last batch is never too small for batch normalisation; one batch may
    exceed `batch_size` by one where another would have a single image. With `total`, the batches
    hold `total` numbers instead of `count`: one random order after another, the last cut short.
    """
    total = count if total is None else total
    orders = [rng.permutation(count) for _ in range(-(-total // count))]
    batches = min(-(-total // batch_size), max(1, total // 2))
    return np.array_split(np.concatenate(orders)[:total], batches)


def images_at_once(size: Sequence[int], most: int, values: int) -> int:
    """How many images of a size to compute together: at most `most`, and at least one.

    Together they have at most `values` pixels, for a size (height, width), or numbers, for one with
    channels. By size alone, so that it is the same on every machine.
    """
    return max(1, min(most, values // prod(size)))


def draw_class_batch(
    classes: Sequence[Indices], batch_size: int, rng: np.random.Generator
) -> ClassBatch:
    """`batch_size` images of a uniformly drawn class (Dablain et al., 2022, Algorithm 1).

    Without replacement, or with it where the class is smaller than the batch.
    """
    pool = classes[int(rng.integers(len(classes)))]
    members = rng.choice(pool, batch_size, replace=len(pool) < batch_size)
    return ClassBatch(members, rng.permutation(batch_size))


class ByClass:
    """Places of labels by class, for draws in which all classes are equally frequent."""

    def __init__(self, labels: Indices) -> None:
        """labels: (n,), with at least one of each of 0..k-1."""
        self.order = np.argsort(labels, kind="stable")
        self.sizes = np.bincount(labels)
        self.first = np.cumsum(self.sizes) - self.sizes

    def draw(self, count: int, rng: np.random.Generator) -> Indices:
        """(count,) places: a uniform class each, then a uniform place of that class."""
        drawn = rng.integers(len(self.sizes), size=count)
        within = (rng.random(count) * self.sizes[drawn]).astype(np.int64)
        return self.order[self.first[drawn] + within]


def epochs_without_progress(losses: Sequence[float]) -> int:
    """Epochs since the loss last fell by `PROGRESS` below the best before it."""
    best, stale = float("inf"), 0
    for loss in losses:
        if loss < best * (1 - PROGRESS):
            best, stale = loss, 0
        else:
            stale += 1
    return stale
