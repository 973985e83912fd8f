"""How sure a share of few images is, and the mean of such shares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imbsynth.core.bootstrap import CONFIDENCE

Shares = NDArray[np.float64]


def jeffreys(hits: Shares, images: Shares) -> tuple[Shares, Shares]:
    """(c,) hits among so many images -> the ends of the intervals, (c,) each.

    The middle of the posterior under Jeffreys' prior; from 0 where none was found and to 1 where
    all were (Brown, Cai and DasGupta, 2001). It is never a point, however few the images, where the
    bootstrap draws one share again and again.
    """
    from scipy.stats import beta

    tail = (1 - CONFIDENCE) / 2
    low, high = (beta.ppf(level, hits + 0.5, images - hits + 0.5) for level in (tail, 1 - tail))
    return np.where(hits == 0, 0.0, low), np.where(hits == images, 1.0, high)


def mean_interval(shares: Shares, low: Shares, high: Shares) -> tuple[float, float]:
    """(c,) independent shares with the ends of their intervals -> those of the shares' mean.

    The distances to the ends add up as variances do (MOVER: Zou and Donner, 2008). The mean of
    posteriors will not do: a prior draws each share a little to the middle, all to the same side,
    and over many small classes that is more than the interval is wide.
    """
    mean, count = float(np.mean(shares)), len(shares)
    return (
        mean - float(np.linalg.norm(shares - low)) / count,
        mean + float(np.linalg.norm(high - shares)) / count,
    )
