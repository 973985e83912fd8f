"""Area under the ROC curve, for one sample and for many weighted ones at a time."""

from __future__ import annotations

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


def auroc_macro(ranked: list[Ranking], weights: NDArray[np.int32]) -> NDArray[np.float64]:
    """The mean of each class's AUROC against the rest, for m samples: (m,).

    P(an image of the class gets a higher probability for it than one of the others), a tie
    counting half (Mann and Whitney, 1947). weights: (n, m), how often each of the n images is in
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
    passed = np.zeros((len(ranking.negatives) + 1, weights.shape[1]), np.int64)
    np.cumsum(weights[ranking.negatives], axis=0, out=passed[1:])
    own = weights[ranking.positives].astype(np.float64)
    beaten = (passed[ranking.below] + passed[ranking.upto]) / 2
    return np.einsum("pm,pm->m", own, beaten) / (own.sum(0) * passed[-1])
