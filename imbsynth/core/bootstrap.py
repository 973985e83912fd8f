"""Bootstrap intervals: how much a score would vary over test sets of the same classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from imbsynth.core.auroc import ClassOrder, auroc_macro
from imbsynth.core.calibration import brier, ece
from imbsynth.core.metrics import Counts

CONFIDENCE = 0.95  # of an interval
AT_ONCE = 32  # samples weighted together; their sums stay in the cache


def resampled_confusions(confusion: Counts, draws: int, rng: np.random.Generator) -> Counts:
    """(c, c) counts -> (draws, c, c): the images of each class drawn anew with replacement.

    Drawing n images of a class with replacement and counting their predictions is one draw from a
    multinomial distribution over its row, so single images are not needed.
    """
    support = confusion.sum(1)
    rows = [
        rng.multinomial(int(n), row / n, size=draws)
        for row, n in zip(confusion, support, strict=True)
    ]
    return np.stack(rows, 1).astype(np.float64)


def resampled_auroc(
    ranked: Sequence[ClassOrder], draws: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """The macro AUROC of `draws` samples, each class drawn anew with replacement: (draws,)."""
    members = [order.positives for order in ranked]
    return np.concatenate([auroc_macro(ranked, w) for w in _samples(members, draws, rng)])


def resampled_calibration(
    gaps: NDArray[np.float64],
    losses: NDArray[np.float64],
    members: Sequence[NDArray[np.int64]],
    draws: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The ECE and the Brier score of `draws` samples, drawn likewise: (draws,) each.

    gaps, losses: of `core.calibration`. members: the image indices of each class.
    """
    found = [(ece(gaps, w), brier(losses, w)) for w in _samples(members, draws, rng)]
    errors, scores = zip(*found, strict=True)
    return np.concatenate(errors), np.concatenate(scores)


def _samples(
    members: Sequence[NDArray[np.int64]], draws: int, rng: np.random.Generator
) -> Iterator[NDArray[np.int32]]:
    """Weights (m, n) of at most AT_ONCE samples at a time: how often each image is in each."""
    images = sum(map(len, members))
    for start in range(0, draws, AT_ONCE):
        samples = min(AT_ONCE, draws - start)
        weights = np.empty((samples, images), np.int32)
        for own in members:
            weights[:, own] = _times_drawn(len(own), samples, rng)
        yield weights


def interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """The middle `CONFIDENCE` of the values: Efron's percentile interval."""
    low, high = np.quantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def _times_drawn(count: int, samples: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(samples, count): how often each of `count` images is among `count` drawn ones."""
    drawn = rng.integers(count, size=(samples, count)) + count * np.arange(samples)[:, None]
    return np.bincount(drawn.ravel(), minlength=samples * count).reshape(samples, count)
