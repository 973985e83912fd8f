from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import brier_score_loss, log_loss
from torchmetrics.functional.classification import multiclass_calibration_error

from imbsynth.core.bootstrap import interval, resampled_calibration
from imbsynth.core.calibration import (
    BINS,
    COLDEST,
    HOTTEST,
    brier,
    brier_losses,
    ece,
    fitted_temperature,
    gaps,
    log_softmax,
    reliability,
    softmax,
)

Numbers = NDArray[np.float64]


def drawn(seed: int, images: int, classes: int = 4) -> tuple[Numbers, NDArray[np.int64]]:
    """Logits that say something about the labels, and the labels: every class among them."""
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(classes), rng.integers(classes, size=images - classes)])
    logits = rng.normal(size=(images, classes))
    logits[np.arange(images), labels] += 1.5
    return logits, labels


def once(images: int) -> NDArray[np.int32]:
    return np.ones((1, images), np.int32)


def test_ece_by_hand() -> None:
    """Two images at 0.9, one right; two at 0.6, both right: (2 |0.5-0.9| + 2 |1-0.6|) / 4."""
    found = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.4, 0.6]])
    labels = np.array([0, 1, 0, 1])
    assert ece(gaps(found, labels), once(4)).tolist() == pytest.approx([0.4])


def test_brier_by_hand() -> None:
    """(0.3² + 0.2² + 0.1²) and, wrong, (0.3² + 0.7² + 1²)."""
    found, labels = np.array([[0.7, 0.2, 0.1], [0.3, 0.7, 0.0]]), np.array([0, 2])
    assert brier_losses(found, labels).tolist() == pytest.approx([0.14, 1.58])
    assert brier(brier_losses(found, labels), once(2)).tolist() == pytest.approx([0.86])


@pytest.mark.parametrize("seed", range(3))
def test_scores_equal_those_of_the_libraries(seed: int) -> None:
    logits, labels = drawn(seed, 300)
    found = softmax(logits)
    theirs = multiclass_calibration_error(
        torch.from_numpy(found), torch.from_numpy(labels), num_classes=4, n_bins=BINS, norm="l1"
    )
    # torchmetrics adds up in float32
    assert ece(gaps(found, labels), once(300))[0] == pytest.approx(float(theirs), abs=1e-6)
    reference = brier_score_loss(labels, found, labels=range(4), scale_by_half=False)
    assert brier(brier_losses(found, labels), once(300))[0] == pytest.approx(reference)


def test_a_weight_counts_an_image_so_often() -> None:
    logits, labels = drawn(0, 50)
    weights = np.random.default_rng(1).integers(0, 4, (5, 50)).astype(np.int32)
    found = softmax(logits)
    distances, losses = gaps(found, labels), brier_losses(found, labels)
    for row, error, score in zip(
        weights, ece(distances, weights), brier(losses, weights), strict=True
    ):
        again = np.repeat(np.arange(50), row)
        alone = gaps(found[again], labels[again]), brier_losses(found[again], labels[again])
        assert ece(alone[0], once(len(again)))[0] == pytest.approx(error)
        assert brier(alone[1], once(len(again)))[0] == pytest.approx(score)


def test_the_bootstrap_draws_within_each_class() -> None:
    logits, labels = drawn(3, 60)
    found = softmax(logits)
    distances, losses = gaps(found, labels), brier_losses(found, labels)
    members = [np.flatnonzero(labels == k) for k in range(4)]
    rng = np.random.default_rng(0)
    errors, scores = resampled_calibration(distances, losses, members, 4000, rng)
    slow = np.random.default_rng(1)
    again = []
    for _ in range(4000):
        chosen = np.concatenate([slow.choice(own, len(own)) for own in members])
        again.append([ece(distances[chosen], once(60))[0], losses[chosen].mean()])
    # the ends of 95 % intervals of 4,000 draws vary by about 0.003
    np.testing.assert_allclose(interval(errors), interval(np.array(again)[:, 0]), atol=0.012)
    np.testing.assert_allclose(interval(scores), interval(np.array(again)[:, 1]), atol=0.03)


def test_bins_of_the_diagram_by_hand() -> None:
    found = np.array([[0.9, 0.1], [0.92, 0.08], [0.6, 0.4], [0.0, 1.0]])
    bins = reliability(found, np.array([0, 1, 0, 1]))
    assert bins.images.tolist() == [0] * 8 + [1] + [0] * 4 + [2, 1]  # ends belong to the bin below
    assert bins.confidence[13] == pytest.approx(0.91)
    assert bins.accuracy[[8, 13, 14]].tolist() == [1, 0.5, 1]
    assert np.isnan(bins.accuracy[0])


@given(st.integers(0, 2**32), st.floats(0.2, 5))
def test_the_fitted_temperature_minimises_the_cross_entropy(seed: int, scale: float) -> None:
    logits, labels = drawn(seed, 80)
    logits *= scale
    temperature = fitted_temperature(logits, labels)

    def loss(factor: float) -> float:
        return log_loss(labels, softmax(logits / temperature / factor), labels=range(4))

    assert loss(1) <= min(loss(0.99), loss(1.01))  # convex in 1 / T: no other minimum


def test_a_temperature_that_was_put_in_is_found_again() -> None:
    """Labels drawn from softmax(z) make T = 1 right, and from softmax(z / 2) T = 2."""
    rng = np.random.default_rng(0)
    logits = 2 * rng.normal(size=(40_000, 3))
    for true in (1.0, 2.0):
        shares = softmax(logits / true).cumsum(1)
        labels = (rng.random((40_000, 1)) > shares).sum(1)
        assert fitted_temperature(logits, labels) == pytest.approx(true, rel=0.03)  # 3 std. errors


def test_where_all_are_right_or_the_logits_mislead_the_temperature_stays_in_bounds() -> None:
    labels = np.array([0, 1, 1])
    right = np.eye(2)[labels]
    assert fitted_temperature(right, labels) == 1
    assert fitted_temperature(-right, labels) == pytest.approx(HOTTEST, rel=1e-3)
    assert COLDEST < 1 < HOTTEST


def test_large_logits_do_not_overflow() -> None:
    logs = log_softmax(np.array([[1e4, 0.0], [-1e4, -1e4]], np.float32))
    assert logs.tolist() == [[0, -1e4], [-np.log(2), -np.log(2)]]
