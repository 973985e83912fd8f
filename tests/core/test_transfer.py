from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from imbsynth.core.plans import Plan, combine
from imbsynth.core.row_streams import Rows
from imbsynth.core.transfer import transfer
from tests.core.test_samplers import Cloud, cloud


def drawn(
    sizes: list[int], label: int, rows: Rows, donors: str = "random", pairs: str = "random"
) -> Plan:
    population = Cloud([cloud(n, 3, seed=k) for k, n in enumerate(sizes)])
    rng = np.random.default_rng(0)
    return transfer(population, label, rng, strength=0.3, donors=donors, donor_pairs=pairs)(rows)


@given(
    sizes=st.lists(st.integers(1, 9), min_size=2, max_size=4),
    rows=st.lists(st.integers(0, 4000), max_size=20),
    donors=st.sampled_from(["random", "nearest"]),
    pairs=st.sampled_from(["random", "neighbors"]),
)
@settings(deadline=None, max_examples=60)
def test_a_row_names_an_image_and_two_of_one_larger_class(
    sizes: list[int], rows: list[int], donors: str, pairs: str
) -> None:
    classes = np.repeat(np.arange(len(sizes)), sizes)
    for label, size in enumerate(sizes):
        plan = drawn(sizes, label, np.array(rows, np.int64), donors, pairs)
        whole = drawn(sizes, label, np.arange(4001), donors, pairs)
        assert np.array_equal(plan.parents, whole.parents[rows])  # any row can be drawn alone
        assert np.array_equal(plan.weights, whole.weights[rows])
        base, first, second = whole.parents.T
        assert (classes[base] == label).all()
        assert set(np.unique(base)) == set(np.flatnonzero(classes == label))
        assert (classes[first] == classes[second]).all()
        assert whole.weights.sum(1) == pytest.approx(1)
        larger = [k for k, n in enumerate(sizes) if n > max(1, size)]
        if larger or size > 1:
            assert (first != second).all()
            assert set(classes[first].tolist()) <= set(larger or [label])
            assert (whole.weights == [1, 0.3, -0.3]).all()
        else:  # a single image without a larger class is copied
            assert (whole.parents == base[:, None]).all()
            assert (whole.weights == [1, 0, 0]).all()


def test_donors_are_drawn_by_size_and_pairs_are_uniform() -> None:
    plan = drawn([2, 4, 6], 0, np.arange(6000))
    pairs = {tuple(pair): 0 for pair in plan.parents[:, 1:].tolist()}
    for pair in plan.parents[:, 1:].tolist():
        pairs[tuple(pair)] += 1
    assert len(pairs) == 4 * 3 + 6 * 5
    # p is one of 10 images, then q one of the other 3 or 5: 200 or 120 expected, 5 deviations.
    for (first, _), count in pairs.items():
        expected = 200 if first < 6 else 120
        assert abs(count - expected) < 5 * np.sqrt(expected)


def test_the_nearest_donor_is_the_one_whose_mean_is_nearest() -> None:
    near, far = cloud(5, 3) + 1, cloud(6, 3) + 10
    population = Cloud([cloud(2, 3), far, near])
    draw = transfer(
        population, 0, np.random.default_rng(0), strength=1, donors="nearest", donor_pairs="random"
    )
    assert draw(np.arange(200)).parents[:, 1:].min() == 2 + 6


def test_the_other_of_a_pair_of_neighbors_is_one_of_the_five_nearest() -> None:
    line = torch.arange(20.0)[:, None]
    population = Cloud([torch.zeros(1, 1), line])
    draw = transfer(
        population,
        0,
        np.random.default_rng(0),
        strength=1,
        donors="random",
        donor_pairs="neighbors",
    )
    _, first, second = draw(np.arange(500)).parents.T
    assert 1 <= np.abs(first - second).min() <= np.abs(first - second).max() <= 5


def test_transfer_by_hand() -> None:
    """b = (1, 1), p = (4, 0), q = (2, 2), a = 0.5: b + 0.5 (2, -2) = (2, 0)."""
    parents = [torch.tensor([[1.0, 1.0]]), torch.tensor([[4.0, 0.0]]), torch.tensor([[2.0, 2.0]])]
    made = combine(parents, torch.tensor([[1.0, 0.5, -0.5]]))
    assert made.tolist() == [[2.0, 0.0]]
