"""Area under the ROC curve, for one sample and for many weighted ones at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.float32]  # (n, c)
Labels = NDArray[np.int64]  # (n,) class indices


class Ranking(NamedTuple):
    """Where the images of one class stand among all others by its probability."""

    positives: Labels  # (p,) image indices
    negatives: Labels  # (q,) image indices, by rising probability
    below: Labels  # (p,) negatives with a lower probability
    upto: Labels  # (p,) negatives with a lower or equal one


def rankings(probabilities: Probabilities, labels: Labels) -> list[Ranking]:
    """One ranking a class: sorted once, however many samples are weighed."""
    return [_ranking(scores, labels == k) for k, scores in enumerate(probabilities.T)]


def auroc_macro(ranked: Sequence[Ranking], weights: NDArray[np.int32]) -> NDArray[np.float64]:
    """The mean of each class's AUROC against the rest, for m samples: (m,).

    P(an image of the class gets a higher probability for it than one of the others), a tie
    counting half (Mann and Whitney, 1947). weights: (m, n), how often each of the n images is in
    each sample.
    """
    return np.mean([_auroc(ranking, weights) for ranking in ranked], axis=0)


def _ranking(scores: NDArray[np.float32], positive: NDArray[np.bool_]) -> Ranking:
    positives, negatives = np.flatnonzero(positive), np.flatnonzero(~positive)
    negatives = negatives[np.argsort(scores[negatives], kind="stable")]
    below, upto = (
        np.searchsorted(scores[negatives], scores[positives], side) for side in ("left", "right")
    )
    return Ranking(positives, negatives, below, upto)


def _auroc(ranking: Ranking, weights: NDArray[np.int32]) -> NDArray[np.float64]:
    passed = np.empty((len(weights), len(ranking.negatives) + 1), np.int32)
    passed[:, 0] = 0
    negatives = weights.take(ranking.negatives, 1)
    np.cumsum(negatives, axis=1, out=passed[:, 1:], dtype=np.int32)
    own = weights.take(ranking.positives, 1).astype(np.float64)
    beaten = passed.take(ranking.below, 1) + passed.take(ranking.upto, 1)  # twice: halves for ties
    pairs = own.sum(1) * passed[:, -1]
    return np.einsum("mp,mp->m", own, beaten.astype(np.float64)) / (2 * pairs)
