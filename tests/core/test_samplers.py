from __future__ import annotations

from functools import partial

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn.over_sampling import SMOTE
from scipy.stats import ks_2samp

from imbsynth.core.neighbors import nearest
from imbsynth.core.samplers import Pairs, Sampler, interpolate, ros, smote, take
from imbsynth.runtime import stream


def cloud(n: int, d: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def plan(sampler: Sampler, points: torch.Tensor, count: int, rng: np.random.Generator) -> Pairs:
    """The first `count` rows in one piece."""
    pieces = [*take(sampler(points, rng), count), Pairs(*np.empty((3, 0)))]
    base, neighbor, lam = (np.concatenate(column) for column in zip(*pieces, strict=True))
    return Pairs(base.astype(np.int64), neighbor.astype(np.int64), lam)


def smote_plan(points: torch.Tensor, count: int, rng: np.random.Generator, neighbors: int) -> Pairs:
    return plan(partial(smote, neighbors=neighbors), points, count, rng)


def test_interpolate_by_hand() -> None:
    start, end = torch.tensor([[0.0, 0.0]]), torch.tensor([[4.0, 8.0]])
    assert interpolate(start, end, torch.tensor([0.25])).tolist() == [[1.0, 2.0]]


def test_interpolate_takes_points_of_any_shape() -> None:
    start, end = torch.zeros(2, 1, 3, 3), torch.ones(2, 1, 3, 3)
    made = interpolate(start, end, torch.tensor([0.5, 0.75], dtype=torch.float64))
    assert made[:, 0, 1, 1].tolist() == [0.5, 0.75]
    assert made.dtype == torch.float32


@given(
    n=st.integers(1, 12),
    count=st.integers(0, 40),
    k=st.integers(1, 20),
    seed=st.integers(0, 2**32),
)
@settings(deadline=None)
def test_a_plan_names_a_base_and_one_of_its_nearest(n: int, count: int, k: int, seed: int) -> None:
    points = cloud(n, 3)
    pairs = smote_plan(points, count, np.random.default_rng(seed), neighbors=k)
    assert all(len(column) == count for column in pairs)
    assert ((pairs.lam >= 0) & (pairs.lam < 1)).all()
    if n == 1:
        assert (pairs.base == pairs.neighbor).all()
        assert (pairs.lam == 0).all()
        return
    table = nearest(points, min(k, n - 1)).numpy()
    assert all(end in table[start] for start, end in zip(pairs.base, pairs.neighbor, strict=True))


@given(n=st.integers(2, 12), count=st.integers(0, 50), seed=st.integers(0, 2**32))
@settings(deadline=None)
def test_every_point_is_a_base_equally_often(n: int, count: int, seed: int) -> None:
    pairs = smote_plan(cloud(n, 2), count, np.random.default_rng(seed), neighbors=3)
    used = np.bincount(pairs.base, minlength=n)
    assert used.max() - used.min() <= 1


@given(n=st.integers(1, 8), small=st.integers(0, 3000), more=st.integers(0, 2000))
@settings(deadline=None, max_examples=30)
def test_a_larger_plan_begins_with_the_smaller_one(n: int, small: int, more: int) -> None:
    points = cloud(n, 2)
    first = smote_plan(points, small, np.random.default_rng(0), neighbors=3)
    second = smote_plan(points, small + more, np.random.default_rng(0), neighbors=3)
    for column, longer in zip(first, second, strict=True):
        assert np.array_equal(column, longer[:small])


def test_two_equal_classes_do_not_get_equal_draws() -> None:
    points = cloud(20, 4)
    first = smote_plan(points, 50, stream(0, "generate", "smote", "a"), neighbors=5)
    second = smote_plan(points, 50, stream(0, "generate", "smote", "b"), neighbors=5)
    assert not np.array_equal(first.lam, second.lam)
    assert not np.array_equal(first.base, second.base)


def test_copies_are_drawn_with_replacement() -> None:
    pairs = plan(ros, cloud(4, 2), 1000, np.random.default_rng(0))
    assert (pairs.base == pairs.neighbor).all()
    assert (pairs.lam == 0).all()
    # 1,000 uniform draws of 4: within 5 standard deviations (13.7) of 250 each.
    assert np.abs(np.bincount(pairs.base) - 250).max() < 70


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
    pairs = smote_plan(POINTS, COUNT, stream(0, "test"), neighbors=K)
    table = nearest(POINTS, K).numpy()
    ranks = (table[pairs.base] == pairs.neighbor[:, None]).argmax(1)
    # A count of 300 has a standard deviation of 15.5; five of them are allowed.
    assert np.abs(np.bincount(ranks, minlength=K) - COUNT / K).max() < 78
    # Kolmogorov-Smirnov distance from uniform, critical value at 1e-6: 2.7 / sqrt(n).
    steps = np.sort(pairs.lam)
    assert np.abs(steps - np.arange(1, COUNT + 1) / COUNT).max() < 2.7 / np.sqrt(COUNT)


def test_ranks_and_steps_are_distributed_like_imbalanced_learns() -> None:
    points = POINTS.numpy()
    majority = cloud(COUNT + 30, 6, seed=1).numpy() + 100
    data = np.concatenate([majority, points])
    labels = np.array([0] * len(majority) + [1] * len(points))
    theirs, _ = SMOTE(k_neighbors=K, random_state=0).fit_resample(data, labels)
    pairs = smote_plan(POINTS, COUNT, stream(0, "test"), neighbors=K)
    start, end = POINTS[torch.from_numpy(pairs.base)], POINTS[torch.from_numpy(pairs.neighbor)]
    ours = interpolate(start, end, torch.from_numpy(pairs.lam)).numpy()

    their_ranks, their_lams = explain(theirs[len(data) :], points, K)
    our_ranks, our_lams = explain(ours, points, K)
    # The difference of two counts of about 300: standard deviation 22; five of them are allowed.
    difference = np.bincount(our_ranks, minlength=K) - np.bincount(their_ranks, minlength=K)
    assert np.abs(difference).max() < 110
    # Two-sample Kolmogorov-Smirnov, critical value at 1e-6.
    assert ks_2samp(our_lams, their_lams).pvalue > 1e-6
