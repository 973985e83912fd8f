from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from imbsynth.core.rbo import MAX_STEPS, Field, Rbo, walk, walk_lengths
from tests.core.test_samplers import Cloud, cloud, offsets_of


def rbo(classes: list[torch.Tensor], **options: Any) -> Rbo:
    rngs = [np.random.default_rng(k) for k in range(len(classes))]
    return Rbo(
        Cloud(classes), rngs, **{"gamma": 0.5, "walk_step": 0.02, "walk_stop": 0.02} | options
    )


def potential(x: np.ndarray, own: np.ndarray, enemies: np.ndarray, gamma: float) -> float:
    """By definition, in float64."""
    parts = [np.exp(-((np.abs(y - x).sum(1) / gamma) ** 2)).sum() for y in (enemies, own)]
    return float(parts[0] - parts[1])


def test_the_potential_by_hand() -> None:
    """From (0, 0): an enemy at 2, and of the class (0, 0) itself and one at 1; gamma 2."""
    own, enemies = torch.tensor([[0.0, 0.0], [0.0, 1.0]]), torch.tensor([[1.0, 1.0]])
    field = Field.of(own, enemies, 1.0, 0.1)
    # Distances to the others: 2 and 1, 1 and 1; their median is 1.
    assert field.gamma == 1
    assert field.step == pytest.approx(0.1)
    field = field._replace(gamma=2.0)
    expected = np.exp(-1) - 1 - np.exp(-0.25)
    assert field.potential(field.distances)[0] == pytest.approx(expected, rel=1e-6)


def test_a_step_away_from_the_own_class_by_hand() -> None:
    """Beside an own point, |phi| falls with every step away from it, and rises on the way back."""
    own, enemies = torch.tensor([[0.0, 0.0], [0.0, 1.0]]), torch.tensor([[50.0, 50.0]])
    field = Field.of(own, enemies, 1.0, 1.0)._replace(gamma=1.0, step=0.5)
    moves = np.array([[0, 1, 0, 2, 3]], np.int32)  # right, left, right, up, down
    (kept,) = walk(field, np.zeros(1, np.int64), moves, np.array([5]))
    # |phi|: 1.37, 0.88, (1.37), 0.39, 0.21, (0.39)
    assert kept.tolist() == [0, 0, 2]


@given(n=st.integers(1, 6), m=st.integers(1, 9), d=st.integers(1, 5), seed=st.integers(0, 999))
@settings(deadline=None, max_examples=40)
def test_kept_moves_are_those_that_lower_the_potential(n: int, m: int, d: int, seed: int) -> None:
    own, enemies = cloud(n, d, seed), cloud(m, d, seed + 1000)
    field = Field.of(own, enemies, 0.5, 0.05)
    moves = np.random.default_rng(seed).integers(0, 2 * d, (1, 60)).astype(np.int32)
    (kept,) = walk(field, np.zeros(1, np.int64), moves, np.array([60]))
    x, remaining = own[0].numpy().copy(), kept.tolist()
    height = abs(potential(x, own.numpy(), enemies.numpy(), field.gamma))
    for move in moves[0].tolist():
        tried = x.copy()
        tried[move >> 1] += field.step * (1 - 2 * (move & 1))
        there = abs(potential(tried, own.numpy(), enemies.numpy(), field.gamma))
        if abs(there - height) < 1e-5:
            return  # too close for float32 to agree
        if there < height:
            assert remaining.pop(0) == move
            x, height = tried, there
    assert not remaining


def test_a_point_is_its_image_and_the_steps_of_its_walk() -> None:
    found = rbo([cloud(9, 3), cloud(4, 3, seed=1)])
    plan = found.draw(1)(np.arange(8))
    steps = offsets_of(plan) / found._steps[1]
    assert steps == pytest.approx(steps.round(), abs=1e-4)
    assert np.abs(steps).sum() > 8
    # Every image equally often.
    assert np.bincount(plan.parents[:, 0])[9:].tolist() == [2, 2, 2, 2]


def test_walks_lower_the_potential() -> None:
    own, enemies = cloud(5, 3, seed=1), cloud(5 * 4, 3)
    found = rbo([enemies, own], walk_stop=0)
    plan = found.draw(1)(np.arange(15))
    field = Field.of(own, enemies, 0.5, 0.02)  # all enemies are used: there is one larger class
    for base, offset in zip(plan.parents[:, 0] - 20, offsets_of(plan), strict=True):
        start = own[base].numpy()
        before, after = (
            abs(potential(x, own.numpy(), enemies.numpy(), field.gamma))
            for x in (start, start + offset)
        )
        assert after < before


def test_lengths_of_walks() -> None:
    lengths = walk_lengths(np.random.default_rng(0).random(20_000), 0.02)
    # (1 - p) / p = 49 steps on average, with a deviation of 49.5: 5 of 0.35 are allowed.
    assert abs(lengths.mean() - 49) < 1.75
    assert (lengths == 0).mean() == pytest.approx(0.02, abs=0.005)
    assert lengths.max() <= MAX_STEPS
    assert walk_lengths(np.zeros(2), 0).tolist() == [MAX_STEPS] * 2
    assert walk_lengths(np.array([0.9]), 1).tolist() == [0]
    assert walk_lengths(np.array([1 - 2.0**-53]), 0.02).tolist() == [MAX_STEPS]


def test_gamma_and_step_are_in_units_of_the_median_distance() -> None:
    scaled = [[k * part for part in (cloud(9, 3), cloud(5, 3, seed=1))] for k in (1, 1024)]
    plans = [rbo(classes).draw(1)(np.arange(30)) for classes in scaled]
    assert offsets_of(plans[0]).any()
    assert offsets_of(plans[1]) == pytest.approx(offsets_of(plans[0]) * 1024)


def test_synthetic_points_of_larger_classes_are_enemies() -> None:
    classes = [cloud(12, 2), cloud(2, 2, seed=1), cloud(1, 2, seed=2)]
    found = rbo(classes)
    found.draw(2)
    places = found._chosen[2][1]
    assert len(places) == 6
    points = found.points(1, places)
    images = classes[1][torch.from_numpy(found.offsets(1, places[places >= 2] - 2)[0])]
    there = points[(places < 2).sum() :]
    assert not torch.equal(there, images)  # walked
    plan = found.draw(1)(places[places >= 2] - 2)
    drawn = Cloud(classes).points_of(plan.parents[:, 0]) + torch.from_numpy(offsets_of(plan))
    assert torch.equal(there, drawn)


@pytest.mark.parametrize("classes", [[cloud(1, 2)], [torch.ones(3, 2), torch.ones(2, 2)]])
def test_without_any_distance_images_are_copied(classes: list[torch.Tensor]) -> None:
    plan = rbo(classes).draw(len(classes) - 1)(np.arange(9))
    assert not offsets_of(plan).any()
