"""Differences of two classifiers on the same images."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from imbsynth.core.metrics import acsa, confusion_matrix
from imbsynth.core.paired import (
    ValuesByClass,
    acsa_difference,
    compared,
    image_variance,
    training_variance,
    wanted_images,
)

ROPE, SURE = 0.01, 0.975
SIZES = (300, 300, 300, 100, 100, 100, 100, 20, 20, 20)  # test images per class, over all folds


def trained(
    ease: list[NDArray[np.float64]], noise: float, gain: float, rng: np.random.Generator
) -> ValuesByClass:
    """Right answers (1) of a classifier, by class: each training shifts a whole class by chance."""
    return [
        (rng.random(len(own)) < 1 / (1 + np.exp(-own - rng.normal(gain, noise)))).astype(float)
        for own in ease
    ]


def cross_validated(
    gain: float, noise: float, folds: int, rng: np.random.Generator, methods: int = 4
) -> list[list[ValuesByClass]]:
    """The differences of several methods to one other, in each fold."""
    found: list[list[ValuesByClass]] = [[] for _ in range(methods)]
    for _ in range(folds):
        ease = [rng.normal(1.5, 2, size // folds) for size in SIZES]
        base = trained(ease, noise, 0, rng)
        for method in found:
            own = trained(ease, noise, gain, rng)
            method.append([mine - other for mine, other in zip(own, base, strict=True)])
    return found


@given(seed=st.integers(0, 2**32 - 1))
def test_the_difference_of_acsa_is_that_of_the_confusion_matrices(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(4), rng.integers(1, 20, 4))
    first, second = rng.integers(4, size=(2, len(labels)))
    gains = (first == labels).astype(float) - (second == labels)
    found = acsa_difference([gains[labels == k] for k in range(4)])
    scores = [float(acsa(confusion_matrix(labels, named, 4))) for named in (first, second)]
    assert math.isclose(found, scores[0] - scores[1], abs_tol=1e-12)


def test_the_variance_over_images_by_hand() -> None:
    """Of 8 images 3 were gained and 1 lost: with the added halves (3.5 + 1.5) / 10 - (2 / 10)^2."""
    gains = np.array([1.0, 1, 1, -1, 0, 0, 0, 0])
    assert math.isclose(image_variance([gains]), (0.5 - 0.04) / 10)
    assert math.isclose(image_variance([gains, gains]), 2 * (0.5 - 0.04) / 10 / 4)


def test_a_few_images_without_a_difference_do_not_show_that_there_is_none() -> None:
    found = compared([[np.zeros(4)], [np.zeros(4)]], 0, 1, ROPE)
    assert found.value == 0
    assert found.low < -0.15 < 0.15 < found.high  # of eight images


def test_many_images_without_a_difference_do() -> None:
    found = compared([[np.zeros(40_000)]] * 3, 0, 1, ROPE)
    assert found.alike > 0.999


def test_the_variance_between_trainings_is_what_images_do_not_explain() -> None:
    rng = np.random.default_rng(0)
    drawn = [training_variance(cross_validated(0, 0.8, 3, rng)) for _ in range(100)]
    quiet = [training_variance(cross_validated(0, 0, 3, rng)) for _ in range(100)]
    assert np.mean(quiet) < 0.25 * np.mean(drawn)
    # A class of one image in each fold has no variance that could be subtracted.
    assert training_variance([[[np.ones(1)], [-np.ones(1)]]]) == 2.0


@pytest.mark.parametrize("noise", [0, 0.3])
@pytest.mark.parametrize("folds", [3, 5])
def test_equal_methods_seldom_seem_different_and_intervals_cover(noise: float, folds: int) -> None:
    """Below 5 % false alarms; the 95 % intervals cover the truth, which is 0, 93 % of the time."""
    rng = np.random.default_rng(folds)
    alarms, covered = [], []
    for _ in range(100):
        comparisons = cross_validated(0, noise, folds, rng)
        training = training_variance(comparisons)
        for one in comparisons:
            found = compared(one, training, len(comparisons), ROPE)
            alarms.append(max(found.better, found.worse) >= SURE)
            covered.append(found.low <= 0 <= found.high)
    assert np.mean(alarms) < 0.05
    assert np.mean(covered) > 0.93


def test_a_gain_of_six_points_on_a_thousand_images_is_seen() -> None:
    """Where the t-test over three folds saw nothing."""
    rng = np.random.default_rng(1)
    seen, gains = [], []
    for _ in range(50):
        comparisons = cross_validated(0.62, 0.1, 3, rng)
        training = training_variance(comparisons)
        found = [compared(one, training, len(comparisons), ROPE) for one in comparisons]
        gains += [one.value for one in found]
        seen += [one.better >= SURE for one in found]
    assert 0.055 < np.mean(gains) < 0.085
    assert np.mean(seen) > 0.6


def test_the_interval_without_noise_of_training_is_the_normal_one() -> None:
    rng = np.random.default_rng(2)
    folds = [[rng.integers(-1, 2, 50).astype(float) for _ in range(3)] for _ in range(3)]
    found = compared(folds, 0, 1, ROPE)
    pooled = [np.concatenate(own) for own in zip(*folds, strict=True)]
    law = stats.norm(acsa_difference(pooled), image_variance(pooled) ** 0.5)
    assert (found.low, found.high) == pytest.approx(law.interval(0.95))
    assert found.better == pytest.approx(law.sf(ROPE))
    assert found.better + found.alike + found.worse == pytest.approx(1)


def test_so_many_more_images_make_it_clear() -> None:
    """With the images that `wanted_images` asks for, the interval ends where it should."""
    common, rare = np.tile([1.0, 0, 0, 0], 100), np.array([1.0, 0, 0, 0, 1, -1, 0, 0])
    wanted = wanted_images([common, rare], ROPE, 0)
    assert wanted is not None
    assert wanted.label == 1  # the rare class
    assert wanted.times > 1
    more = np.tile(rare, math.ceil(wanted.times) + 1)
    assert compared([[common, more]], 0, 1, ROPE).low > ROPE
    assert compared([[common, rare]], 0, 1, ROPE).low < ROPE


def test_no_number_of_images_shows_a_difference_that_does_not_matter() -> None:
    assert wanted_images([np.zeros(10)], ROPE, 0) is None
    assert wanted_images([np.array([1.0, 0, 0, 0])], ROPE, 1.0) is None  # it may be the training
