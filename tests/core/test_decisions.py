from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score

from imbsynth.core.calibration import softmax
from imbsynth.core.decisions import TAUS, adjusted, best_tau, decide, threshold_for

NONE = np.nan


def test_logit_adjustment_by_hand() -> None:
    """Shares of 3/4 and 1/4: z - 2 log(3/4) and z - 2 log(1/4)."""
    found = adjusted(np.array([[1.0, 0.0]]), np.array([30, 10]), 2.0)
    np.testing.assert_allclose(found, [[1 - 2 * np.log(0.75), -2 * np.log(0.25)]])


@given(st.integers(0, 2**32))
def test_tau_1_turns_the_posterior_into_that_of_equally_frequent_classes(seed: int) -> None:
    """p(y | x) ~ p(x | y) pi(y), so dividing by pi leaves the likelihoods, normalised."""
    rng = np.random.default_rng(seed)
    likelihoods, counts = rng.random((5, 3)) + 0.01, rng.integers(1, 100, 3)
    posterior = likelihoods * counts
    logits = np.log(posterior / posterior.sum(1, keepdims=True))
    balanced = likelihoods / likelihoods.sum(1, keepdims=True)
    np.testing.assert_allclose(softmax(adjusted(logits, counts, 1.0)), balanced)


def test_the_best_tau_has_the_best_mean_recall() -> None:
    rng = np.random.default_rng(0)
    counts = np.array([500, 50, 5])
    labels = np.repeat([0, 1, 2], [100, 30, 10])
    logits = rng.normal(size=(140, 3)) + 1.2 * np.eye(3)[labels] + np.log(counts)
    tau = best_tau(logits, labels, counts)

    def mean_recall(tau: float) -> float:
        return balanced_accuracy_score(labels, adjusted(logits, counts, tau).argmax(1))

    assert mean_recall(tau) == max(map(mean_recall, TAUS))
    assert 0.5 < tau < 1.5  # the logits have the prior in them, so 1 is right


def test_where_recalls_are_equal_the_cross_entropy_decides() -> None:
    """Two classes told apart by any tau: not 0 by default, but what fits the probabilities."""
    labels, counts = np.array([0, 1]), np.array([90, 10])
    logits = np.array([[9.0, 0.0], [0.0, 9.0]]) + np.log(counts)
    assert best_tau(logits, labels, counts) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("recall", "threshold"), [(1.0, 0.1), (0.8, 0.1), (0.75, 0.3), (0.5, 0.6), (0.01, 0.9)]
)
def test_the_threshold_for_a_recall_by_hand(recall: float, threshold: float) -> None:
    assert threshold_for(np.array([0.3, 0.9, 0.1, 0.6]), recall) == threshold


@given(st.integers(1, 60), st.floats(0.01, 1), st.integers(0, 2**32))
def test_the_threshold_is_the_highest_that_gives_the_recall(
    n: int, recall: float, seed: int
) -> None:
    scores = np.random.default_rng(seed).random(n)
    threshold = threshold_for(scores, recall)
    assert (scores >= threshold).mean() >= recall - 1e-9
    assert (scores > threshold).mean() < recall


def test_nineteen_of_twenty_are_a_recall_of_095() -> None:
    assert threshold_for(np.arange(1, 21) / 20, 0.95) == 0.1  # 0.95 * 20 is 19.000000000000004


def test_probabilities_of_0_get_a_threshold_above_0() -> None:
    assert threshold_for(np.zeros(3, np.float32), 1.0) > 0


@pytest.mark.parametrize(
    ("thresholds", "expected"),
    [
        ([NONE, NONE, NONE], [0, 1, 0]),
        ([NONE, NONE, 0.2], [2, 1, 2]),  # reached by the first and the last
        ([NONE, NONE, 0.35], [0, 1, 2]),  # not by the first: the likeliest of the others
        ([0.45, NONE, 0.2], [2, 1, 2]),  # the first: 0.5 / 0.45 is less than 0.3 / 0.2
        ([0.7, 0.7, 0.7], [0, 1, 0]),  # reached by none: the closest
        ([0.6, 0.8, 0.9], [0, 0, 0]),
    ],
)
def test_decisions_by_hand(thresholds: list[float], expected: list[int]) -> None:
    found = np.array([[0.5, 0.2, 0.3], [0.4, 0.45, 0.15], [0.4, 0.2, 0.4]])
    assert decide(found, np.array(thresholds)).tolist() == expected
