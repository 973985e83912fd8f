"""How much better one classifier is than another, both judged on the same images.

Two classifiers agree on most images. Only the images on which they differ say which is better, so
their difference is known far more precisely than either score alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbsynth.core.bootstrap import CONFIDENCE

# For each class, (n,) differences in [-1, 1]: how often the first classifier named an image
# correctly, minus how often the second did.
ValuesByClass = Sequence[NDArray[np.float64]]


class Difference(NamedTuple):
    """ACSA of one classifier minus that of another."""

    value: float
    low: float  # the ends of the interval
    high: float
    better: float  # probabilities of being above `rope`, within it, and below
    alike: float
    worse: float


def acsa_difference(differences: ValuesByClass) -> float:
    """The mean over classes of the mean over their images, in [-1, 1]."""
    return float(np.mean([own.mean() for own in differences]))


def image_variance(differences: ValuesByClass) -> float:
    """The variance of `acsa_difference` over test images of the same classes.

    sum_c s_c^2 / n_c / C^2. Half an image is added to each kind of outcome (both right, both wrong,
    one right, the other right), as Agresti and Min (2005) do for intervals of paired proportions: a
    class of four images without a difference does not show that there is none.
    """
    return (
        sum(
            ((own @ own + 1) / (len(own) + 2) - (own.sum() / (len(own) + 2)) ** 2) / (len(own) + 2)
            for own in differences
        )
        / len(differences) ** 2
    )


def training_variance(folds: Sequence[Sequence[ValuesByClass]]) -> float:
    """The variance of a fold's difference that its test images do not explain.

    Two trainings of one method differ by chance, and that shifts many images of a fold together.
    folds: for each comparison, the differences in each of its k folds. The variance between folds,
    less what images explain (unbiased, without `image_variance`'s additions), is averaged over all
    comparisons, weighted by their folds less one: a single one has too few to estimate it. At least
    0.
    """
    excess, weights = [], [len(comparison) - 1 for comparison in folds]
    for comparison in folds:
        between = np.var([acsa_difference(fold) for fold in comparison], ddof=1)
        explained = np.mean(
            [
                sum(own.var(ddof=1) / len(own) for own in fold if len(own) > 1) / len(fold) ** 2
                for fold in comparison
            ]
        )
        excess.append(between - explained)
    return max(0.0, float(np.average(excess, weights=weights)))


def compared(
    folds: Sequence[ValuesByClass],
    training: float,
    comparisons: float,
    rope: float,
    confidence: float = CONFIDENCE,
) -> Difference:
    """The difference of ACSA over all images of a cross-validation, each tested once.

    folds: the differences in each of k folds. training: `training_variance` of `comparisons`
    comparisons over k folds, of which one over fewer folds counts as a part. The variance is that
    over images plus training / k; its degrees of freedom are Welch and Satterthwaite's, that over
    images counting as known. rope: half the width of what does not matter. confidence: of the
    interval.
    """
    from scipy.stats import norm, t

    pooled = [np.concatenate(own) for own in zip(*folds, strict=True)]
    value, over_images = acsa_difference(pooled), image_variance(pooled)
    over_trainings = training / len(folds)
    error = (over_images + over_trainings) ** 0.5
    if over_trainings > 0:
        # Comparisons with the same classifier share half of their noise: their variances are
        # correlated by a quarter, and tell as much as so many independent ones.
        independent = comparisons / (1 + (comparisons - 1) / 4)
        freedom = (len(folds) - 1) * independent * (error**2 / over_trainings) ** 2
        law = t(freedom, loc=value, scale=error)
    else:
        law = norm(loc=value, scale=error)
    low, high = law.interval(confidence)
    worse, better = float(law.cdf(-rope)), float(law.sf(rope))
    return Difference(value, float(low), float(high), better, 1 - worse - better, worse)


class Wanted(NamedTuple):
    """How many more images would make a difference clear, if it stays as large as it is."""

    label: int | None  # of the class that they are of; None: of every class
    times: float  # as many images as there are, more than 1


def wanted_images(differences: ValuesByClass, rope: float, training: float) -> Wanted | None:
    """What would bring the whole 95 % interval beyond `rope`; None if no number of images would.

    training: `training_variance` divided by the number of folds, which more images do not change.
    The class whose images add most to the variance is tried alone first.
    """
    from scipy.stats import norm

    beyond = abs(acsa_difference(differences)) - rope
    target = (beyond / norm.isf((1 - CONFIDENCE) / 2)) ** 2 - training
    if beyond <= 0 or target <= 0:
        return None
    parts = [image_variance([own]) / len(differences) ** 2 for own in differences]
    label = int(np.argmax(parts))
    rest = sum(parts) - parts[label]
    found = Wanted(None, sum(parts) / target)
    if rest < target:
        found = Wanted(label, parts[label] / (target - rest))
    return found if found.times > 1 else None  # else it is the trainings that are too few
