from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from imbsynth.core.plans import combine


def test_two_parents_by_hand() -> None:
    parents = [torch.tensor([[0.0, 0.0]]), torch.tensor([[4.0, 8.0]])]
    assert combine(parents, torch.tensor([[0.75, 0.25]])).tolist() == [[1.0, 2.0]]


def test_three_parents_and_an_offset_by_hand() -> None:
    """z_b + a (z_p - z_q), with a = 0.5, and a step of 10."""
    parents = [torch.tensor([[1.0]]), torch.tensor([[4.0]]), torch.tensor([[2.0]])]
    weights = torch.tensor([[1.0, 0.5, -0.5]])
    assert combine(parents, weights).tolist() == [[2.0]]
    assert combine(parents, weights, torch.tensor([[10.0]])).tolist() == [[12.0]]


def test_points_have_any_shape_and_keep_their_type() -> None:
    parents = [torch.zeros(2, 1, 3, 3), torch.ones(2, 1, 3, 3)]
    weights = torch.tensor([[0.5, 0.5], [0.25, 0.75]], dtype=torch.float64)
    made = combine(parents, weights)
    assert made[:, 0, 1, 1].tolist() == [0.5, 0.75]
    assert made.dtype == torch.float32


@given(p=st.integers(1, 5), seed=st.integers(0, 2**32))
def test_it_is_the_weighted_sum(p: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    parents, weights = rng.normal(size=(p, 4, 3)), rng.normal(size=(4, p))
    weights[:, 0] += 1 - weights.sum(1)
    made = combine([torch.from_numpy(x) for x in parents], torch.from_numpy(weights))
    np.testing.assert_allclose(made.numpy(), np.einsum("pmd,mp->md", parents, weights), atol=1e-9)


def test_a_copy_is_exact() -> None:
    points = torch.rand(50, 7)
    assert torch.equal(combine([points], torch.ones(50, 1)), points)
    between = combine([points, points], torch.rand(50, 1) * torch.tensor([[-1.0, 1.0]]) + 1)
    assert torch.equal(between, points)
