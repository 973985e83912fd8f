"""Area under the ROC curve, for one sample and for many weighted ones at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.float32]  # (n, c)
Labels = NDArray[np.int64]  # (n,) class indices


class ClassOrder(NamedTuple):
    """Where the images of one class stand among all others by its probability."""

    positives: Labels  # (p,) image indices
    negatives: Labels  # (q,) image indices, by rising probability
    below: Labels  # (p,) number of negatives with a lower probability
    upto: Labels  # (p,) number of negatives with a lower or equal one


def class_orders(probabilities: Probabilities, labels: Labels) -> list[ClassOrder]:
    """One order per class. Images are sorted once, however many weighted samples follow.

    probabilities: (n, c). labels: (n,); every class needs an image, and one of another class.
    """
    return [_class_order(scores, labels == k) for k, scores in enumerate(probabilities.T)]


def auroc_macro(orders: Sequence[ClassOrder], weights: NDArray[np.int32]) -> NDArray[np.float64]:
    """The mean of each class's AUROC against the rest, for m samples: (m,), in [0, 1].

    The AUROC is the probability that an image of the class gets a higher probability for it than
    an image of another class; a tie counts half (Mann and Whitney, 1947). weights: (m, n), how
    often each of the n images is in each sample.
    """
    return np.mean([_auroc(order, weights) for order in orders], axis=0)


def _class_order(scores: NDArray[np.float32], positive: NDArray[np.bool_]) -> ClassOrder:
    positives, negatives = np.flatnonzero(positive), np.flatnonzero(~positive)
    negatives = negatives[np.argsort(scores[negatives], kind="stable")]
    below, upto = (
        np.searchsorted(scores[negatives], scores[positives], side) for side in ("left", "right")
    )
    return ClassOrder(positives, negatives, below, upto)


def _auroc(order: ClassOrder, weights: NDArray[np.int32]) -> NDArray[np.float64]:
    passed = np.empty((len(weights), len(order.negatives) + 1), np.int32)
    passed[:, 0] = 0
    negatives = weights.take(order.negatives, 1)
    np.cumsum(negatives, axis=1, out=passed[:, 1:], dtype=np.int32)
    own = weights.take(order.positives, 1).astype(np.float64)
    beaten = passed.take(order.below, 1) + passed.take(order.upto, 1)  # doubled: a tie is a half
    pairs = own.sum(1) * passed[:, -1]
    return np.einsum("mp,mp->m", own, beaten.astype(np.float64)) / (2 * pairs)
