"""Scores of a classifier, each a reduction of one confusion matrix.

A confusion matrix is (..., c, c) counts in float64, rows true and columns predicted; leading
dimensions are further matrices, so that a bootstrap is one call. Every class needs an image.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from imbsynth.core.metric_table import METRICS

Counts = NDArray[np.float64]
Scores = NDArray[np.float64]


def confusion_matrix(
    labels: NDArray[np.int64], predictions: NDArray[np.int64], classes: int
) -> Counts:
    """(n,) true and (n,) predicted class indices -> (c, c) counts."""
    joint = np.bincount(labels * classes + predictions, minlength=classes**2)
    return joint.reshape(classes, classes).astype(np.float64)


def recalls(confusion: Counts) -> Scores:
    """Of the images of each class, the share that is found: (..., c)."""
    return _diagonal(confusion) / confusion.sum(-1)


def precisions(confusion: Counts) -> Scores:
    """Of the images called each class, the share that is right: (..., c); 0 if none is."""
    return _ratio(_diagonal(confusion), confusion.sum(-2))


def specificities(confusion: Counts) -> Scores:
    """Of the images of all other classes, the share that is not called this one: (..., c)."""
    others = confusion.sum((-2, -1))[..., None] - confusion.sum(-1)
    false = confusion.sum(-2) - _diagonal(confusion)
    return 1 - false / others


def f1s(confusion: Counts) -> Scores:
    """Harmonic mean of precision and recall, 2TP / (2TP + FP + FN): (..., c)."""
    return 2 * _diagonal(confusion) / (confusion.sum(-1) + confusion.sum(-2))


def acsa(confusion: Counts) -> Scores:
    """Average class-specific accuracy: the mean of the recalls (balanced accuracy)."""
    return recalls(confusion).mean(-1)


def gm(confusion: Counts) -> Scores:
    """sqrt(macro recall * macro specificity), the GM of the DeepSMOTE paper's tables."""
    return np.sqrt(acsa(confusion) * specificities(confusion).mean(-1))


def g_mean(confusion: Counts) -> Scores:
    """C-th root of the product of the C recalls (the AOS paper's); 0 if a class is never found."""
    found = recalls(confusion)
    with np.errstate(divide="ignore"):
        return np.exp(np.log(found).mean(-1))  # a product of many recalls would underflow


def f1_macro(confusion: Counts) -> Scores:
    """The mean of the classes' F1."""
    return f1s(confusion).mean(-1)


def mcc(confusion: Counts) -> Scores:
    """Matthews' correlation for many classes, R_K (Gorodkin, 2004); 0 if one class is predicted."""
    total = confusion.sum((-2, -1))
    true, predicted = confusion.sum(-1), confusion.sum(-2)
    above = _diagonal(confusion).sum(-1) * total - (true * predicted).sum(-1)
    spread = (total**2 - (predicted**2).sum(-1)) * (total**2 - (true**2).sum(-1))
    return _ratio(above, np.sqrt(spread))


def kappa(confusion: Counts) -> Scores:
    """Cohen's kappa: agreement beyond what the margins alone would give."""
    total = confusion.sum((-2, -1))
    observed = _diagonal(confusion).sum(-1) / total
    expected = (confusion.sum(-1) * confusion.sum(-2)).sum(-1) / total**2
    return (observed - expected) / (1 - expected)


def rarest_recall(found: Mapping[str, float], trained: Mapping[str, int]) -> float:
    """The mean recall of all classes with the fewest training images.

    The mean, because among equally rare classes the choice of one would differ by seed.
    found: {class: recall}. trained: {class: training images} of these classes, and maybe others.
    """
    fewest = min(trained[name] for name in found)
    return float(np.mean([recall for name, recall in found.items() if trained[name] == fewest]))


def _diagonal(confusion: Counts) -> Scores:
    return np.diagonal(confusion, axis1=-2, axis2=-1)


def _ratio(above: Scores, below: Scores) -> Scores:
    """above / below, and 0 where both are: the convention for what was never predicted."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


# What a confusion matrix is enough for; by the names of METRICS.
SCORES: dict[str, Callable[[Counts], Scores]] = {
    name: metric.load() for name, metric in METRICS.items() if metric.needs == "confusion"
}
