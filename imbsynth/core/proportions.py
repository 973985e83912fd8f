"""Confidence intervals for a proportion of few images, and for the mean of such proportions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imbsynth.core.bootstrap import CONFIDENCE

Shares = NDArray[np.float64]


def jeffreys(hits: Shares, images: Shares) -> tuple[Shares, Shares]:
    """(c,) hits among (c,) images -> the ends of the 95 % intervals, (c,) each, in [0, 1].

    The middle of the posterior under Jeffreys' prior; it starts at 0 if there are no hits and ends
    at 1 if all are hits (Brown, Cai and DasGupta, 2001). It is never a single point, however few
    the images; a bootstrap would then draw the same proportion every time.
    """
    from scipy.stats import beta

    tail = (1 - CONFIDENCE) / 2
    low, high = (beta.ppf(level, hits + 0.5, images - hits + 0.5) for level in (tail, 1 - tail))
    return np.where(hits == 0, 0.0, low), np.where(hits == images, 1.0, high)


def mean_interval(shares: Shares, low: Shares, high: Shares) -> tuple[float, float]:
    """(c,) independent proportions and the ends of their intervals -> the interval of their mean.

    The distances to the ends add up as variances do (MOVER: Zou and Donner, 2008). The mean of the
    posteriors is no alternative: the prior pulls each proportion a little towards the middle, all
    in one direction, and over many small classes this exceeds the width of the interval.
    """
    mean, count = float(np.mean(shares)), len(shares)
    return (
        mean - float(np.linalg.norm(shares - low)) / count,
        mean + float(np.linalg.norm(high - shares)) / count,
    )
