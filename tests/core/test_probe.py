from __future__ import annotations

import numpy as np
import pytest

from imbsynth.core.probe import cross_fitted_scores, equal_weights, separability

RNG = np.random.default_rng(0)
HALF = np.arange(400) % 2
SYNTHETIC = np.arange(400) % 4 < 2
LABELS = np.repeat([0, 1], 200)


@pytest.mark.parametrize(("gap", "low", "high"), [(0.0, 0.4, 0.6), (9.0, 0.999, 1.0)])
def test_the_probe_tells_apart_what_differs(gap: float, low: float, high: float) -> None:
    features = RNG.normal(size=(400, 3))
    features[SYNTHETIC, 1] += gap
    scores = cross_fitted_scores(features, SYNTHETIC, LABELS, HALF)
    assert low <= separability(scores, SYNTHETIC, LABELS, HALF) <= high


def test_no_score_is_of_a_model_that_was_fitted_on_the_image() -> None:
    """Features that name each image: a probe could only remember them."""
    scores = cross_fitted_scores(np.eye(400), SYNTHETIC, LABELS, HALF)
    assert separability(scores, SYNTHETIC, LABELS, HALF) == pytest.approx(0.5)


def test_the_separability_by_hand() -> None:
    """Of the pairs 3 of 4 and 4 of 4 are in order: the mean of 0.75 and 1."""
    scores = np.array([0.0, 2.0, 1.0, 3.0, 0.0, 0.0, 1.0, 1.0])
    synthetic = np.array([False, False, True, True] * 2)
    half = np.repeat([0, 1], 4)
    assert separability(scores, synthetic, np.zeros(8, np.int64), half) == pytest.approx(0.875)


def test_classes_and_kinds_have_equal_weight() -> None:
    labels, synthetic = np.array([0, 0, 0, 1, 1]), np.array([True, True, False, True, False])
    weights = equal_weights(labels, synthetic)
    assert weights.mean() == pytest.approx(1)
    assert weights.tolist() == pytest.approx([0.625, 0.625, 1.25, 1.25, 1.25])
