"""Tests of whether methods differ over many problems, or only by chance."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

DRAWS, AT_ONCE = 50_000, 5_000  # of weights, in the Bayesian signed-rank test
PRIOR = 0.5  # weight of the difference of 0 in it
DIGITS = 12  # decimals: the order in which a mean is summed changes later ones


class Pair(NamedTuple):
    """Two methods compared with each other, by their column indices."""

    first: int
    second: int
    z: float  # the difference of their mean ranks in standard errors
    p: float  # two-sided, unadjusted
    adjusted: float  # by Shaffer's procedure


def rounded(values: Values) -> Values:
    """Scores without the decimals in which equal ones may differ: np.mean([0.1] * 3) > 0.1."""
    return np.round(values, DIGITS)


def leading(values: Values, rope: float) -> NDArray[np.bool_]:
    """(k,) scores -> (k,) which of them are the highest, or at most `rope` below it.

    NaN is a missing score. Where all scores are that near, none is ahead, and none is marked.
    """
    scores = rounded(values)
    there = ~np.isnan(scores)
    near = there & (rounded(np.max(scores, initial=-np.inf, where=there) - scores) <= rope)
    return np.zeros_like(there) if np.array_equal(near, there) else near


def wins(values: Values) -> NDArray[np.int64]:
    """(n, k) scores -> (k, k): on how many problems the row's method beats the column's."""
    scores = rounded(values)
    return (scores[:, :, None] > scores[:, None, :]).sum(0)


def ranks(values: Values) -> Values:
    """(n, k) scores of k methods on n problems -> (n, k) ranks, 1 the highest, ties shared."""
    from scipy.stats import rankdata

    return rankdata(-rounded(values), axis=1)


def friedman(values: Values) -> float:
    """(n, k) scores -> p that all k methods rank equally (Friedman, 1937), corrected for ties.

    Raises ValueError for fewer than three methods or two problems, for which the test says nothing.
    """
    from scipy.stats import friedmanchisquare

    problems, methods = values.shape
    if methods < 3 or problems < 2:
        raise ValueError(f"{methods} methods on {problems} problems")
    scores = rounded(values)
    if np.ptp(scores, axis=1).max() == 0:
        return 1.0  # all scores are equal on every problem
    return float(friedmanchisquare(*scores.T).pvalue)


def shaffer(values: Values) -> list[Pair]:
    """All pairs of k methods over n problems, adjusted by Shaffer's static procedure (1986).

    z = (R_i - R_j) / sqrt(k (k + 1) / 6n) of the mean ranks, as Demsar (2006) and Garcia and
    Herrera (2008) use it after Friedman's test. The i-th smallest p is multiplied by the largest
    number of hypotheses that can still be true when i - 1 are false. Smallest p first.
    """
    from scipy.stats import norm

    problems, methods = values.shape
    mean = ranks(values).mean(0)
    error = math.sqrt(methods * (methods + 1) / (6 * problems))
    pairs = []
    for i in range(methods):
        for j in range(i + 1, methods):
            z = float(mean[i] - mean[j]) / error
            pairs.append(Pair(i, j, z, float(2 * norm.sf(abs(z))), math.nan))
    pairs.sort(key=lambda pair: pair.p)
    adjusted = _shaffer_adjusted([pair.p for pair in pairs], methods)
    return [pair._replace(adjusted=p) for pair, p in zip(pairs, adjusted, strict=True)]


def _shaffer_adjusted(p_values: list[float], methods: int) -> list[float]:
    """Rising p-values of all pairs -> adjusted ones, which rise too and end at 1."""
    possible = sorted(_true_counts(methods))
    adjusted, least = [], 0.0
    for i, p in enumerate(p_values):
        left = max(count for count in possible if count <= len(p_values) - i)
        least = max(least, min(1.0, left * p))
        adjusted.append(least)
    return adjusted


def _true_counts(methods: int) -> set[int]:
    """How many pairs can be equal at once: of j methods all pairs, of the others fewer or none."""
    counts: list[set[int]] = [{0}, {0}]
    for k in range(2, methods + 1):
        counts.append({math.comb(j, 2) + x for j in range(1, k + 1) for x in counts[k - j]})
    return counts[methods]


def better(first: Values, second: Values, rope: float, seed: int) -> tuple[float, float, float]:
    """Two (n,) scores on n problems -> P(first is better), P(equal), P(second is better).

    The Bayesian signed-rank test (Benavoli et al., 2014): Dirichlet weights of the differences and
    of a difference of 0; in each draw the likeliest case counts for the mean of two differences
    that are drawn by these weights. The draws are those of baycomp, the authors' library, whose
    loop over them takes a hundred times as long. rope: the largest difference that counts as equal,
    in the unit of the scores; at exactly that, a draw counts by half. seed: of the draws.
    """
    gaps = np.append(0.0, rounded(first - second))
    sums = rounded(gaps[:, None] + gaps[None, :])
    masks = [_share_above(sums, 2 * rope), _share_above(-sums, 2 * rope)]
    rng, counts = np.random.RandomState(seed), np.zeros(3, np.int64)
    for _ in range(DRAWS // AT_ONCE):
        weights = rng.dirichlet([PRIOR] + [1.0] * len(first), AT_ONCE)
        above, below = (np.einsum("ni,ni->n", weights @ mask, weights) for mask in masks)
        likeliest = np.argmax([below, 1 - above - below, above], axis=0)
        counts += np.bincount(likeliest, minlength=3)
    worse, same, best = (counts / counts.sum()).tolist()
    return best, same, worse


def _share_above(values: Values, limit: float) -> Values:
    """Heaviside's function: 1 above the limit, a half on it."""
    return np.heaviside(rounded(values - limit), 0.5)
