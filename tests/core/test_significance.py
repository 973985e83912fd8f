from __future__ import annotations

import numpy as np
import pytest
from baycomp import SignedRankTest
from scipy import stats

from imbsynth.core.significance import (
    _shaffer_adjusted,
    _true_counts,
    better,
    friedman,
    leading,
    ranks,
    shaffer,
    wins,
)

# Demsar (JMLR 7, 2006), Table 6: AUC of C4.5 as it is, with m, with cf, and with both, on 14 data
# sets. Of voting he prints 0.975 twice but ranks the two 2 and 3, so that one digit is added here.
DEMSAR = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],  # adult (sample)
        [0.599, 0.591, 0.590, 0.569],  # breast cancer
        [0.954, 0.971, 0.968, 0.967],  # breast cancer wisconsin
        [0.628, 0.661, 0.654, 0.657],  # cmc
        [0.882, 0.888, 0.886, 0.898],  # ionosphere
        [0.936, 0.931, 0.916, 0.931],  # iris
        [0.661, 0.668, 0.609, 0.685],  # liver disorders
        [0.583, 0.583, 0.563, 0.625],  # lung cancer
        [0.775, 0.838, 0.866, 0.875],  # lymphography
        [1.000, 1.000, 1.000, 1.000],  # mushroom
        [0.940, 0.962, 0.965, 0.962],  # primary tumor
        [0.619, 0.666, 0.614, 0.669],  # rheum
        [0.972, 0.981, 0.9751, 0.975],  # voting
        [0.957, 0.978, 0.946, 0.970],  # wine
    ]
)

# The AOS paper (PMLR 183, 2022), Table 3: macro F1 of AOS, SMOTE, ROS, RUS, no balancing.
AOS_F1 = np.array(
    [
        [0.6023, 0.5948, 0.5929, 0.0802, 0.6007],  # cifar10, mu 0.2
        [0.5116, 0.4623, 0.4695, 0.0795, 0.4536],  # cifar10, mu 0.4
        [0.4294, 0.3813, 0.3741, 0.0849, 0.3345],  # cifar10, mu 0.6
        [0.3748, 0.3415, 0.3666, 0.0969, 0.2986],  # cifar10, mu 0.8
        [0.7844, 0.7746, 0.7868, 0.1634, 0.7601],  # intel, mu 0.2
        [0.7369, 0.7261, 0.7166, 0.1666, 0.7268],  # intel, mu 0.4
        [0.6633, 0.6414, 0.6248, 0.1415, 0.6132],  # intel, mu 0.6
        [0.6516, 0.6564, 0.6456, 0.1569, 0.6112],  # intel, mu 0.8
        [0.3154, 0.3191, 0.3038, 0.2761, 0.3148],  # mit, mu 0.2
        [0.2983, 0.2863, 0.2768, 0.2503, 0.2726],  # mit, mu 0.4
        [0.2860, 0.2993, 0.2738, 0.2618, 0.2729],  # mit, mu 0.6
        [0.2810, 0.2605, 0.2635, 0.2662, 0.2709],  # mit, mu 0.8
        [0.9824, 0.9806, 0.9808, 0.9133, 0.9769],  # mnist, mu 0.2
        [0.9748, 0.9726, 0.9732, 0.9160, 0.9669],  # mnist, mu 0.4
        [0.9641, 0.9574, 0.9583, 0.9195, 0.9481],  # mnist, mu 0.6
        [0.9550, 0.9484, 0.9548, 0.9203, 0.9456],  # mnist, mu 0.8
    ]
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


def test_friedman_on_demsars_example() -> None:
    """He prints 9.28, without the correction for ties that scipy makes."""
    assert ranks(DEMSAR).mean(0) == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)
    n, k = DEMSAR.shape
    plain = 12 * n / (k * (k + 1)) * (np.sum(ranks(DEMSAR).mean(0) ** 2) - k * (k + 1) ** 2 / 4)
    assert plain == pytest.approx(9.28, abs=0.005)
    # A row with t equal scores takes t^3 - t of the n k (k^2 - 1): three pairs, and all four once.
    ties = 1 - (3 * (2**3 - 2) + 4**3 - 4) / (n * k * (k**2 - 1))
    assert friedman(DEMSAR) == pytest.approx(stats.chi2.sf(plain / ties, k - 1))
    assert plain / ties == pytest.approx(10.23, abs=0.005)


def test_wins_by_hand() -> None:
    values = np.array([[3.0, 2.0, 2.0], [1.0, 2.0, 3.0]])
    assert wins(values).tolist() == [[0, 1, 1], [1, 0, 0], [1, 1, 0]]


def test_wins_are_those_of_the_aos_paper() -> None:
    """Its Table 4, which prints 15/1 for ROS against AOS where its own numbers give 1/15."""
    assert wins(AOS_F1).tolist() == [
        [0, 13, 15, 16, 16],
        [3, 0, 8, 15, 13],  # the paper has 16/0 against RUS here, and 0/16 the other way round
        [1, 8, 0, 15, 12],
        [0, 1, 1, 0, 0],
        [0, 3, 4, 16, 0],
    ]


def test_scores_that_a_sum_has_rounded_apart_are_equal() -> None:
    values = np.array([[np.mean([0.1] * 3), 0.1, 0.05]])
    assert values[0, 0] > values[0, 1]
    assert wins(values).tolist() == [[0, 0, 1], [0, 0, 1], [0, 0, 0]]
    assert ranks(values).tolist() == [[1.5, 1.5, 3]]
    assert leading(values[0], 0).tolist() == [True, True, False]
    assert friedman(np.array([[np.mean([0.1] * 3), 0.1, 0.1]] * 3)) == 1


def test_a_method_without_a_score_is_not_the_best() -> None:
    assert leading(np.array([np.nan, 0.5, 0.4]), 0.01).tolist() == [False, True, False]
    assert leading(np.array([np.nan, np.nan]), 0.01).tolist() == [False, False]


def test_scores_that_differ_by_no_more_than_the_rope_lead_together_or_not_at_all() -> None:
    assert leading(np.array([0.6614, 0.6607, 0.5]), 0.01).tolist() == [True, True, False]
    assert leading(np.array([0.6614, 0.6607]), 0.01).tolist() == [False, False]
    assert leading(np.array([0.75, 0.74, 0.7]), 0.01).tolist() == [True, True, False]
    assert leading(np.array([0.6614, 0.6607]), 0.0005).tolist() == [True, False]


def test_ties_share_their_ranks() -> None:
    assert ranks(np.array([[0.9, 0.5, 0.9]])).tolist() == [[1.5, 3, 1.5]]


def test_a_clear_winner_is_better_and_equals_are_equal() -> None:
    rng = np.random.default_rng(0)
    base = rng.random(20)
    assert better(base + 0.1, base, 0.01, 0)[0] > 0.99
    assert better(base, base + 0.1, 0.01, 0)[2] > 0.99
    assert better(base + 0.001, base, 0.01, 0)[1] > 0.99
    assert better(base + 0.1, base, 0.01, 0) == better(base + 0.1, base, 0.01, 0)


@pytest.mark.parametrize("rope", [0.003, 0.01])
def test_the_signed_rank_test_against_draws_of_our_own(rope: float) -> None:
    """Benavoli et al. (2014): Dirichlet weights of the differences, and of a 0 with half a weight.

    Of each draw, the likeliest of {better, alike, worse} for the mean of two differences counts.
    """
    rng = np.random.default_rng(5)
    gaps = rng.normal(0.01, 0.02, 12)
    known = np.append(gaps, 0.0)
    weights = rng.dirichlet([1.0] * 12 + [0.5], 20_000)
    means = (known[:, None] + known[None, :]) / 2
    above = np.einsum("ni,nj,ij->n", weights, weights, (means > rope).astype(np.float64))
    below = np.einsum("ni,nj,ij->n", weights, weights, (means < -rope).astype(np.float64))
    likeliest = np.argmax([above, 1 - above - below, below], axis=0)
    expected = np.bincount(likeliest, minlength=3) / len(weights)
    # Standard errors of 20,000 and 50,000 draws: at most 0.0042 together; four of them.
    assert better(0.5 + gaps, np.full(12, 0.5), rope, 0) == pytest.approx(expected, abs=0.017)


@pytest.mark.parametrize("rope", [0.0, 0.003, 0.01])
@pytest.mark.parametrize("problems", [1, 2, 9, 40])
def test_the_signed_rank_test_is_that_of_baycomp(problems: int, rope: float) -> None:
    """The same draws."""
    rng = np.random.default_rng(problems)
    first, second = rng.normal([[0.71], [0.7]], 0.02, (2, problems))
    worse, same, best = SignedRankTest(second, first, rope, random_state=7).probs()
    assert better(first, second, rope, 7) == pytest.approx((best, same, worse), abs=1e-3)


@pytest.mark.parametrize(("first", "second"), [(0.57, 0.56), (0.81, 0.80), (0.32, 0.31)])
def test_a_difference_of_exactly_the_rope_is_no_matter_of_rounding(
    first: float, second: float
) -> None:
    chances = better(np.full(3, first), np.full(3, second), 0.01, 0)
    assert chances == better(np.full(3, 0.25 + 1 / 64), np.full(3, 0.25), 1 / 64, 0)
