from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from imbsynth.core.amdo import amdo, ellipsoid, own_neighbors
from imbsynth.core.plans import Plan
from imbsynth.core.samplers import Draw, Noted
from tests.core.test_samplers import Cloud, cloud, offsets_of

FAR = 1000.0  # between classes, so that all neighbors are of the class


def draw_of(points: torch.Tensor, own_share: float = 0.4, seed: int = 0) -> Draw:
    """Of a class beside a distant one, with its images counted from 6."""
    population = Cloud([cloud(6, points.shape[1], seed=7) + FAR, points])
    return amdo(population, 1, np.random.default_rng(seed), k_neighbors=5, own_share=own_share)


def made(points: torch.Tensor, plan: Plan) -> np.ndarray:
    return points.numpy()[plan.parents[:, 0] - 6] + offsets_of(plan)


def squared_distances(points: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Mahalanobis, by the pseudo-inverse of the covariance."""
    inverse = np.linalg.pinv(np.cov(real.T), rcond=1e-9)
    away = points - real.mean(0)
    return np.einsum("nd,de,ne->n", away, inverse, away)


@given(n=st.integers(6, 30), d=st.integers(2, 40), seed=st.integers(0, 1000))
@settings(deadline=None, max_examples=40)
def test_a_synthetic_point_is_as_far_from_the_mean_as_its_seed(n: int, d: int, seed: int) -> None:
    points = cloud(n, d, seed) * torch.linspace(1, 5, d)
    plan = draw_of(points, own_share=0)(np.arange(50))
    assert (plan.weights == 1).all()
    kept = points.numpy()[own_neighbors(Cloud([points]), 0, 5) > 0]
    expected = squared_distances(points.numpy()[plan.parents[:, 0] - 6], kept)
    # Offsets are float32: 1e-7 of coordinates up to 20, beside component variances down to 0.1.
    assert squared_distances(made(points, plan), kept) == pytest.approx(expected, rel=2e-3)


def test_a_circle_by_hand() -> None:
    """Mean 0 and equal variances: the points of a seed lie on its circle, all around."""
    points = torch.tensor([[1.0, 0], [-1, 0], [0, 1], [0, -1], [3, 0], [-3, 0], [0, 3], [0, -3]])
    plan = draw_of(points, own_share=0)(np.arange(2000))
    there = made(points, plan)
    radii = np.linalg.norm(points.numpy()[plan.parents[:, 0] - 6], axis=1)
    assert np.linalg.norm(there, axis=1) == pytest.approx(radii, rel=1e-5)
    angles = np.arctan2(*there.T)
    quarters = np.histogram(angles, bins=4, range=(-np.pi, np.pi))[0]
    # A count of 500 has a standard deviation of 19.4; five of them are allowed.
    assert np.abs(quarters - 500).max() < 97


def test_components_by_hand() -> None:
    """(+-2, 0), (0, +-1): variances 8/3 and 2/3, so all are at 4 / (8/3) = 1.5 from the mean."""
    found = ellipsoid(torch.tensor([[2.0, 0], [-2, 0], [0, 1], [0, -1]]))
    assert found.centre.tolist() == [0, 0]
    assert found.variances.tolist() == pytest.approx([8 / 3, 2 / 3])
    assert found.axes.abs().flatten().tolist() == pytest.approx([1, 0, 0, 1])
    assert found.alphas.tolist() == pytest.approx([1.5] * 4)


def test_there_is_one_axis_less_than_points() -> None:
    found = ellipsoid(cloud(5, 30))
    assert found.axes.shape == (4, 30)
    # In full rank all n points are at (n - 1)^2 / n.
    assert found.alphas.tolist() == pytest.approx([16 / 5] * 5)


def test_neighbors_of_the_class_are_those_of_scikit_learn() -> None:
    classes = [cloud(20, 3), cloud(9, 3, seed=1) + 0.5, cloud(15, 3, seed=2)]
    found = own_neighbors(Cloud(classes), 1, 5)
    everyone = torch.cat(classes).numpy()
    places = NearestNeighbors(n_neighbors=6).fit(everyone).kneighbors(return_distance=False)
    theirs = places[20:29, :5]
    assert found.tolist() == ((theirs >= 20) & (theirs < 29)).sum(1).tolist()


def test_seeds_are_drawn_by_their_neighbors_and_lonely_ones_never() -> None:
    """Four close points, and one inside the other class that has no neighbor of its own."""
    close = torch.tensor([[0.0, 0], [1, 0], [0, 1.5], [2, 2]])
    other = cloud(8, 2) + FAR
    population = Cloud([other, torch.cat([close, other[:1] + 0.01])])
    assert own_neighbors(population, 1, 3).tolist() == [3, 3, 3, 3, 0]
    rng = np.random.default_rng(0)
    plan = amdo(population, 1, rng, k_neighbors=3, own_share=0.5)(np.arange(4000))
    used = np.bincount(plan.parents[:, 0] - 8, minlength=5)
    assert used[4] == 0
    # A count of 1,000 has a standard deviation of 27; five of them are allowed.
    assert np.abs(used[:4] - 1000).max() < 137


@pytest.mark.parametrize(("n", "words"), [(1, "it is copied"), (2, "they are copied")])
def test_one_or_two_images_are_copied_and_it_says_so(n: int, words: str) -> None:
    draw = draw_of(cloud(n, 3))
    assert isinstance(draw, Noted)
    assert words in draw.note
    plan = draw(np.arange(9))
    assert plan.offsets is None
    assert set(plan.parents.ravel().tolist()) == set(range(6, 6 + n))


def test_where_no_image_has_neighbors_of_its_class_all_are_used_and_it_says_so() -> None:
    crowd = cloud(40, 2)
    population = Cloud([crowd, crowd[:5] + 0.001])  # each beside a point of the other class
    rng = np.random.default_rng(0)
    draw = amdo(population, 1, rng, k_neighbors=1, own_share=0.4)
    assert isinstance(draw, Noted)
    assert draw.note.startswith("0 images have enough neighbors of their own class")
    assert set(draw(np.arange(200)).parents.ravel().tolist()) == set(range(40, 45))


def test_equal_images_are_copied() -> None:
    points = torch.ones(6, 3)
    assert made(points, draw_of(points)(np.arange(5))) == pytest.approx(np.ones((5, 3)))
