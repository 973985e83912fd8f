from __future__ import annotations

import numpy as np
import pytest

from imbsynth.core.significance import (
    _shaffer_adjusted,
    _true_counts,
    better,
    friedman,
    ranks,
    shaffer,
)


def test_how_many_hypotheses_can_be_true_at_once() -> None:
    """Shaffer (1986): S(k) of up to five means."""
    assert _true_counts(3) == {0, 1, 3}
    assert _true_counts(4) == {0, 1, 2, 3, 6}
    assert _true_counts(5) == {0, 1, 2, 3, 4, 6, 10}


def test_shaffer_on_garcia_and_herreras_example() -> None:
    """Five classifiers on 30 data sets (JMLR 9, 2008, Tables 3 to 5)."""
    p = [4.487e-8, 1.736e-7, 0.0029, 0.0048, 0.0080, 0.0101, 0.0128, 0.0247, 0.7440, 0.8065]
    expected = [4.487e-7, 1.042e-6, 0.0173, 0.0290, 0.0477, 0.0477, 0.0511, 0.0742, 1, 1]
    assert _shaffer_adjusted(p, 5) == pytest.approx(expected, rel=0.02)


def test_mean_ranks_become_z_as_demsar_has_it() -> None:
    # Four methods on two problems, always in one order: mean ranks 1, 2, 3, 4.
    values = np.array([[4.0, 3.0, 2.0, 1.0], [40.0, 30.0, 20.0, 10.0]])
    pairs = {(pair.first, pair.second): pair for pair in shaffer(values)}
    assert pairs[0, 3].z == pytest.approx(-3 / np.sqrt(4 * 5 / 12))
    assert pairs[0, 3].p == pytest.approx(0.02014, abs=1e-4)
    assert pairs[0, 3].adjusted == pytest.approx(6 * 0.02014, abs=1e-3)


def test_friedman_by_hand() -> None:
    # Three methods on four problems, always in one order: chi^2 = n (k - 1) = 8, p = exp(-4).
    values = np.array([[3.0, 2.0, 1.0]] * 4) + np.arange(4.0)[:, None]
    assert friedman(values) == pytest.approx(np.exp(-4))
    assert friedman(np.ones((4, 3), np.float64)) == 1
    with pytest.raises(ValueError, match="2 methods on 4 problems"):
        friedman(values[:, :2])


def test_ties_share_their_ranks() -> None:
    assert ranks(np.array([[0.9, 0.5, 0.9]])).tolist() == [[1.5, 3, 1.5]]


def test_a_clear_winner_is_better_and_equals_are_equal() -> None:
    rng = np.random.default_rng(0)
    base = rng.random(20)
    assert better(base + 0.1, base, 0.01, 0)[0] > 0.99
    assert better(base, base + 0.1, 0.01, 0)[2] > 0.99
    assert better(base + 0.001, base, 0.01, 0)[1] > 0.99
    assert better(base + 0.1, base, 0.01, 0) == better(base + 0.1, base, 0.01, 0)
