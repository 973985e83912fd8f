from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn.over_sampling import SMOTE
from scipy.stats import ks_2samp

from imbsynth.core.neighbors import nearest
from imbsynth.core.plans import Plan, combine
from imbsynth.core.row_streams import Rows
from imbsynth.core.samplers import Sampler, ros, smote
from imbsynth.runtime import stream


def cloud(n: int, d: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Cloud(NamedTuple):
    """A population: the points of all classes, one after the other."""

    classes: list[torch.Tensor]

    @property
    def members(self) -> list[np.ndarray]:
        ends = np.cumsum([len(points) for points in self.classes])
        return np.split(np.arange(ends[-1]), ends[:-1])

    def points(self, label: int) -> torch.Tensor:
        return self.classes[label]

    def points_of(self, images: np.ndarray) -> torch.Tensor:
        return torch.cat(self.classes)[torch.from_numpy(images)]


def plan(sampler: Sampler, points: torch.Tensor, rows: Rows, rng: np.random.Generator) -> Plan:
    """Rows of the second of three classes, with its images counted from 0."""
    population = Cloud([cloud(3, 2, seed=8), points, cloud(4, 2, seed=9)])
    drawn = sampler(population, 1, rng)(rows)
    return drawn._replace(parents=drawn.parents - 3)


def offsets_of(drawn: Plan) -> np.ndarray:
    """Of a sampler that has some."""
    assert drawn.offsets is not None
    return drawn.offsets


def smote_plan(points: torch.Tensor, count: int, rng: np.random.Generator, neighbors: int) -> Plan:
    return plan(partial(smote, k_neighbors=neighbors), points, np.arange(count), rng)


def test_lambda_stays_in_its_range() -> None:
    narrow = partial(smote, k_neighbors=3, lambda_range=(0.2, 0.4))
    lam = plan(narrow, cloud(9, 2), np.arange(2000), np.random.default_rng(0)).weights[:, 1]
    assert 0.2 <= lam.min() < 0.21 < 0.39 < lam.max() < 0.4
    usual = smote_plan(cloud(9, 2), 2000, np.random.default_rng(0), neighbors=3).weights[:, 1]
    assert lam == pytest.approx(0.2 + 0.2 * usual)
    still = partial(smote, k_neighbors=3, lambda_range=(0, 0))
    drawn = plan(still, cloud(9, 2), np.arange(50), np.random.default_rng(0))
    assert (drawn.weights == [1, 0]).all()


@given(
    n=st.integers(1, 12),
    count=st.integers(0, 40),
    k=st.integers(1, 20),
    seed=st.integers(0, 2**32),
)
@settings(deadline=None)
def test_a_row_names_an_image_and_one_of_its_nearest(n: int, count: int, k: int, seed: int) -> None:
    points = cloud(n, 3)
    drawn = smote_plan(points, count, np.random.default_rng(seed), neighbors=k)
    assert drawn.rows.tolist() == list(range(count))
    assert len(drawn.parents) == len(drawn.weights) == count
    assert drawn.weights.sum(1) == pytest.approx(1)
    if n == 1:
        assert (drawn.parents == 0).all()
        assert drawn.weights.shape == (count, 1)
        return
    assert ((drawn.weights[:, 1] >= 0) & (drawn.weights[:, 1] < 1)).all()
    table = nearest(points, min(k, n - 1)).numpy()
    assert all(end in table[start] for start, end in drawn.parents)


@given(n=st.integers(2, 12), count=st.integers(0, 50), seed=st.integers(0, 2**32))
@settings(deadline=None)
def test_every_image_is_used_equally_often(n: int, count: int, seed: int) -> None:
    drawn = smote_plan(cloud(n, 2), count, np.random.default_rng(seed), neighbors=3)
    used = np.bincount(drawn.parents[:, 0], minlength=n)
    assert used.max() - used.min() <= 1


@given(n=st.integers(1, 8), small=st.integers(0, 3000), more=st.integers(0, 2000))
@settings(deadline=None, max_examples=30)
def test_a_larger_plan_begins_with_the_smaller_one(n: int, small: int, more: int) -> None:
    points = cloud(n, 2)
    first = smote_plan(points, small, np.random.default_rng(0), neighbors=3)
    second = smote_plan(points, small + more, np.random.default_rng(0), neighbors=3)
    for column, longer in zip(first[:3], second[:3], strict=True):
        assert np.array_equal(column, longer[:small])


@given(n=st.integers(1, 8), rows=st.lists(st.integers(0, 5000), max_size=20))
@settings(deadline=None, max_examples=30)
@pytest.mark.parametrize("sampler", [partial(smote, k_neighbors=3), ros])
def test_any_row_can_be_drawn_alone(sampler: Sampler, n: int, rows: list[int]) -> None:
    whole = plan(sampler, cloud(n, 2), np.arange(5001), np.random.default_rng(0))
    alone = plan(sampler, cloud(n, 2), np.array(rows, np.int64), np.random.default_rng(0))
    assert alone.rows.tolist() == rows
    assert np.array_equal(alone.parents, whole.parents[rows])
    assert np.array_equal(alone.weights, whole.weights[rows])


def test_two_equal_classes_do_not_get_equal_draws() -> None:
    points = cloud(20, 4)
    first = smote_plan(points, 50, stream(0, "generate", "smote", "a"), neighbors=5)
    second = smote_plan(points, 50, stream(0, "generate", "smote", "b"), neighbors=5)
    assert not np.array_equal(first.weights, second.weights)
    assert not np.array_equal(first.parents[:, 0], second.parents[:, 0])


def test_copies_are_drawn_with_replacement() -> None:
    drawn = plan(ros, cloud(4, 2), np.arange(1000), np.random.default_rng(0))
    assert drawn.parents.shape == (1000, 1)
    assert (drawn.weights == 1).all()
    # 1,000 uniform draws of 4: within 5 standard deviations (13.7) of 250 each.
    assert np.abs(np.bincount(drawn.parents[:, 0]) - 250).max() < 70


def explain(made: np.ndarray, points: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The (rank, lam) by which each synthetic point lies between two neighbors, by search.

    Between mutual neighbors a point has two explanations: the one from the first base is taken.
    """
    table = nearest(torch.from_numpy(points), k).numpy()
    edge = points[table] - points[:, None]  # (n, k, d)
    ranks, lams = [], []
    for point in made:
        along = ((point - points[:, None]) * edge).sum(-1) / (edge**2).sum(-1)
        off = np.linalg.norm(points[:, None] + along[..., None] * edge - point, axis=-1)
        fits = np.argwhere((off < 1e-6) & (along > -1e-9) & (along < 1 + 1e-9))
        assert len(fits), "the point lies on no segment between neighbors"
        base, rank = fits[0]
        ranks.append(rank)
        lams.append(along[base, rank])
    return np.array(ranks), np.array(lams)


K, COUNT = 5, 1500
POINTS = cloud(30, 6)


def test_the_draws_are_uniform() -> None:
    drawn = smote_plan(POINTS, COUNT, stream(0, "test"), neighbors=K)
    table = nearest(POINTS, K).numpy()
    base, neighbor = drawn.parents.T
    ranks = (table[base] == neighbor[:, None]).argmax(1)
    # A count of 300 has a standard deviation of 15.5; five of them are allowed.
    assert np.abs(np.bincount(ranks, minlength=K) - COUNT / K).max() < 78
    # Kolmogorov-Smirnov distance from uniform, critical value at 1e-6: 2.7 / sqrt(n).
    steps = np.sort(drawn.weights[:, 1])
    assert np.abs(steps - np.arange(1, COUNT + 1) / COUNT).max() < 2.7 / np.sqrt(COUNT)


def test_ranks_and_steps_are_distributed_like_imbalanced_learns() -> None:
    points = POINTS.numpy()
    majority = cloud(COUNT + 30, 6, seed=1).numpy() + 100
    data = np.concatenate([majority, points])
    labels = np.array([0] * len(majority) + [1] * len(points))
    theirs, _ = SMOTE(k_neighbors=K, random_state=0).fit_resample(data, labels)
    drawn = smote_plan(POINTS, COUNT, stream(0, "test"), neighbors=K)
    parents = [POINTS[torch.from_numpy(column)] for column in drawn.parents.T]
    ours = combine(parents, torch.from_numpy(drawn.weights)).numpy()

    their_ranks, their_lams = explain(theirs[len(data) :], points, K)
    our_ranks, our_lams = explain(ours, points, K)
    # The difference of two counts of about 300: standard deviation 22; five of them are allowed.
    difference = np.bincount(our_ranks, minlength=K) - np.bincount(their_ranks, minlength=K)
    assert np.abs(difference).max() < 110
    # Two-sample Kolmogorov-Smirnov, critical value at 1e-6.
    assert ks_2samp(our_lams, their_lams).pvalue > 1e-6
