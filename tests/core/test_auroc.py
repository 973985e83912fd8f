from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from imbsynth.core import metrics
from imbsynth.core.auroc import Labels, Probabilities, auroc_macro, class_orders
from imbsynth.core.bootstrap import interval, resampled_auroc, resampled_confusions


def classified(
    images: int, classes: int, seed: int, levels: int = 1000
) -> tuple[Probabilities, Labels]:
    """Probabilities rounded to 1 / levels, so that there are ties, and labels."""
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(classes), rng.integers(classes, size=images - classes)])
    logits = rng.normal(size=(images, classes)) + 2 * np.eye(classes)[labels]
    found = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return (np.round(found * levels) / levels).astype(np.float32), labels


@given(
    images=st.integers(8, 60),
    classes=st.integers(3, 6),
    levels=st.sampled_from([2, 10, 1000]),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_area_is_that_of_scikit_learn_ties_included(
    images: int, classes: int, levels: int, seed: int
) -> None:
    found, labels = classified(images, classes, seed, levels)
    expected = [roc_auc_score(labels == k, found[:, k]) for k in range(classes)]
    ones = np.ones((1, images), np.int32)
    assert auroc_macro(class_orders(found, labels), ones)[0] == pytest.approx(np.mean(expected))


def test_a_weight_is_as_good_as_a_repetition() -> None:
    found, labels = classified(40, 3, 0, 10)
    weights = np.random.default_rng(1).integers(0, 4, (5, 40)).astype(np.int32)
    weights[:, :3] = 1
    areas = auroc_macro(class_orders(found, labels), weights)
    for sample, area in zip(weights, areas, strict=True):
        rows = np.repeat(np.arange(40), sample)
        once = np.ones((1, len(rows)), np.int32)
        expected = auroc_macro(class_orders(found[rows], labels[rows]), once)
        assert area == pytest.approx(float(expected[0]))


def test_a_bootstrap_keeps_class_sizes_and_centres_on_the_score() -> None:
    found, labels = classified(600, 4, 0)
    confusion = metrics.confusion_matrix(labels, found.argmax(1), 4)
    drawn = resampled_confusions(confusion, 2000, np.random.default_rng(0))
    assert (drawn.sum(2) == confusion.sum(1)).all()
    assert metrics.acsa(drawn).mean() == pytest.approx(float(metrics.acsa(confusion)), abs=0.002)
    # The variance of a mean of recalls is known: sum of p (1 - p) / n over classes / c^2.
    p = metrics.recalls(confusion)
    exact = np.sqrt((p * (1 - p) / confusion.sum(1)).sum()) / 4
    assert metrics.acsa(drawn).std() == pytest.approx(exact, rel=0.06)  # 4 sigma of 2,000 draws


def test_the_bootstrap_of_the_area_is_that_of_images_drawn_one_by_one() -> None:
    found, labels = classified(200, 3, 0)
    fast = resampled_auroc(class_orders(found, labels), 1500, np.random.default_rng(0))
    rng, slow = np.random.default_rng(1), []
    members = [np.flatnonzero(labels == k) for k in range(3)]
    for _ in range(300):
        rows = np.concatenate([rng.choice(own, len(own)) for own in members])
        areas = [roc_auc_score(labels[rows] == k, found[rows, k]) for k in range(3)]
        slow.append(np.mean(areas))
    assert fast.mean() == pytest.approx(np.mean(slow), abs=0.003)
    assert fast.std() == pytest.approx(np.std(slow), rel=0.2)


def test_an_interval_holds_its_share_of_the_values() -> None:
    low, high = interval(np.arange(1001) / 1000)
    assert (low, high) == pytest.approx((0.025, 0.975))


def test_a_thousand_draws_of_ten_thousand_images_take_less_than_a_second() -> None:
    """About half a second of processor time; the limit leaves room for a busy machine."""
    found, labels = classified(10_000, 10, 0)
    ranked = class_orders(found, labels)
    confusion = metrics.confusion_matrix(labels, found.argmax(1), 10)
    start = time.process_time()
    drawn = resampled_confusions(confusion, 1000, np.random.default_rng(0))
    for score in metrics.SCORES.values():
        score(drawn)
    resampled_auroc(ranked, 1000, np.random.default_rng(0))
    assert time.process_time() - start < 2
