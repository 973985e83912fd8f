from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from imbsynth.core.proportions import jeffreys, mean_interval


def test_a_fortieth_of_the_posterior_lies_beyond_either_end() -> None:
    """By integration of p^(x - 1/2) (1 - p)^(n - x - 1/2), with p = sin(t)^2 to tame its ends."""
    hits, images = np.array([1.0, 3, 6]), np.array([7.0, 7, 7])
    for x, n, low, high in zip(hits, images, *jeffreys(hits, images), strict=True):
        angle = np.linspace(0, np.pi / 2, 200_001)
        density = np.sin(angle) ** (2 * x) * np.cos(angle) ** (2 * (n - x))
        share = np.sin(angle) ** 2
        assert density[share < low].sum() / density.sum() == pytest.approx(0.025, abs=1e-4)
        assert density[share > high].sum() / density.sum() == pytest.approx(0.025, abs=1e-4)


def test_none_and_all_reach_the_ends() -> None:
    low, high = jeffreys(np.array([0.0, 7]), np.array([7.0, 7]))
    assert (low[0], high[1]) == (0, 1)
    assert high[0] == pytest.approx(1 - low[1])
    assert 0.2 < high[0] < 0.4


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=1, max_size=4))
def test_an_interval_holds_its_share_and_is_never_a_point(rows: list[tuple[int, int]]) -> None:
    hits, misses = np.array(rows, np.float64).T
    images = hits + misses
    low, high = jeffreys(hits, images)
    shares = hits / images
    assert np.all((low >= 0) & (low <= shares) & (shares <= high) & (high <= 1))
    assert np.all(high - low > 0.1)
    ends = mean_interval(shares, low, high)
    assert 0 <= ends[0] <= shares.mean() <= ends[1] <= 1
    if len(rows) == 1:
        assert ends == pytest.approx((low[0], high[0]))


def test_it_lies_near_the_exact_interval() -> None:
    low, high = jeffreys(np.array([40.0]), np.array([50.0]))
    exact = binomtest(40, 50).proportion_ci()
    assert exact.low < low[0]  # the exact one is too wide by design
    assert high[0] < exact.high
    assert (low[0], high[0]) == pytest.approx((exact.low, exact.high), abs=0.02)


@pytest.mark.parametrize(
    "images", [[30] * 5 + [6] * 5, [250, 200, 150, 120, 100, 80, 60, 40, 25, 12]]
)
@pytest.mark.parametrize("recall", [0.97, 0.9, 0.7])
def test_the_mean_of_small_classes_is_covered(images: list[int], recall: float) -> None:
    rng, sizes, trials = np.random.default_rng(0), np.array(images, np.float64), 1000
    covered = below = 0
    for hits in rng.binomial(images, recall, (trials, len(images))):
        low, high = mean_interval(hits / sizes, *jeffreys(hits, sizes))
        covered += low <= recall <= high
        below += high < recall
    assert covered >= 0.88 * trials
    assert below <= 0.12 * trials
