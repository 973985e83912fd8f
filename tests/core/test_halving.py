"""Methods that are stopped before the last fold."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from imbsynth.core.halving import Right, gains, looks, stops
from imbsynth.core.paired import ValuesByClass, compared, training_variance
from tests.core.test_paired import ROPE, SIZES, SURE, trained

PLAIN = "plain"


def cross_validated(
    logits: dict[str, float], noise: float, folds: int, rng: np.random.Generator
) -> dict[str, list[ValuesByClass]]:
    """Right answers of methods by fold; each is better than plain by so much, in log odds."""
    found: dict[str, list[ValuesByClass]] = {method: [] for method in logits}
    for _ in range(folds):
        ease = [rng.normal(1.5, 2, size // folds) for size in SIZES]
        for method, gain in logits.items():
            found[method].append(trained(ease, noise, gain, rng))
    return found


def bases(methods: Right) -> dict[str, str | None]:
    return {method: None if method == PLAIN else PLAIN for method in methods}


def named(share: float, classes: int = 2, images: int = 40) -> ValuesByClass:
    """The answers of a method that names this share of each class's images correctly."""
    own: NDArray[np.float64] = (np.arange(images) < share * images).astype(float)
    return [own] * classes


def test_methods_are_compared_after_a_part_of_the_folds_that_doubles() -> None:
    assert [looks(folds) for folds in (2, 3, 5, 8, 9)] == [[], [2], [2, 4], [2, 4], [2, 4, 8]]


def test_a_method_far_behind_is_stopped_and_the_rest_run_on() -> None:
    right = {PLAIN: [named(0.8)] * 2, "good": [named(0.9)] * 2, "poor": [named(0.2)] * 2}
    found = stops(right, bases(right), 3, ROPE)
    assert found.keys() == {"poor"}
    assert (found["poor"].folds, found["poor"].best) == (2, "good")
    assert found["poor"].lead.value == pytest.approx(0.7)
    assert found["poor"].lead.low > 0.4


def test_what_others_are_compared_with_runs_as_long_as_they_do() -> None:
    right = {
        PLAIN: [named(0.1)] * 2,
        "strong": [named(0.2)] * 2,
        "strong + one": [named(0.9)] * 2,
        "strong + two": [named(0.3)] * 2,
    }
    chain = {PLAIN: None, "strong": PLAIN, "strong + one": "strong", "strong + two": "strong"}
    assert stops(right, chain, 3, ROPE).keys() == {"strong + two"}
    right["good"], right["strong + one"] = right["strong + one"], [named(0.3)] * 2
    found = stops(right, {**chain, "good": PLAIN}, 3, ROPE)
    assert found.keys() == {"strong", "strong + one", "strong + two"}


def test_more_results_never_change_what_was_decided() -> None:
    rng = np.random.default_rng(3)
    whole = cross_validated({PLAIN: 0, "a": 0.5, "b": -1.5, "c": -3}, 0.2, 5, rng)
    after_two = stops({m: own[:2] for m, own in whole.items()}, bases(whole), 5, ROPE)
    assert after_two
    found = stops(whole, bases(whole), 5, ROPE)
    assert {method: found[method] for method in after_two} == after_two


def test_nothing_is_decided_before_every_method_has_its_fold() -> None:
    right = {PLAIN: [named(0.9)] * 2, "good": [named(0.9)], "poor": [named(0.1)] * 2}
    assert stops(right, bases(right), 3, ROPE) == {}


@pytest.mark.parametrize("noise", [0, 0.8])
def test_equal_methods_are_seldom_stopped(noise: float) -> None:
    """In fewer than 5 % of cross-validations any of six, however much trainings differ."""
    rng = np.random.default_rng(5)
    logits = dict.fromkeys([PLAIN, *"abcde"], 0.0)
    stopped = []
    for _ in range(80):
        right = cross_validated(logits, noise, 3, rng)
        stopped.append(bool(stops({m: own[:2] for m, own in right.items()}, bases(right), 3, ROPE)))
    assert np.mean(stopped) < 0.05


@pytest.mark.parametrize("folds", [3, 5])
def test_the_intervals_of_the_rest_stay_honest(folds: int) -> None:
    """Two methods are hopeless and stopped; of three that equal plain training, fewer than 5 % are
    told from it, and their 95 % intervals cover the truth, which is 0, 93 % of the time.
    """
    rng = np.random.default_rng(folds)
    logits = {PLAIN: 0.0, "a": 0, "b": 0, "c": 0, "poor": -2.5, "hopeless": -4}
    alarms, covered, spared = [], [], 0
    for _ in range(50):
        right = cross_validated(logits, 0.3, folds, rng)
        found = stops(right, bases(right), folds, ROPE)
        spared += sum(folds - stop.folds for stop in found.values())
        known = {
            method: gains(own[: found[method].folds] if method in found else own, right[PLAIN])
            for method, own in right.items()
            if method != PLAIN
        }
        training = training_variance(list(known.values()))
        freedom = sum(len(one) - 1 for one in known.values())
        for method in {"a", "b", "c"} - found.keys():
            one = compared(known[method], training, freedom / (folds - 1), ROPE)
            alarms.append(max(one.better, one.worse) >= SURE)
            covered.append(one.low <= 0 <= one.high)
    assert spared > 50 * (folds - 2) * 1.5  # most of what two methods would take
    assert len(covered) > 0.95 * 50 * 3
    assert np.mean(alarms) < 0.05
    assert np.mean(covered) > 0.93
