from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import pairwise_distances
from torch import Tensor

from imbsynth.core import manifolds
from imbsynth.core.manifolds import compare_manifolds


def draw(seed: int, n: int, shift: float = 0.0) -> Tensor:
    return torch.randn(n, 8, generator=torch.Generator().manual_seed(seed)) + shift


def reach(points: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    return np.sort(pairwise_distances(points), axis=1)[:, k]  # column 0 is the point itself


def density_and_coverage(real: Tensor, fake: Tensor) -> tuple[float, float]:
    """As Naeem et al., 2020, write them, with the whole matrix."""
    a, b = real.double().numpy(), fake.double().numpy()
    inside = pairwise_distances(a, b) <= reach(a, 5)[:, None]
    return inside.sum(0).mean() / 5, inside.any(1).mean()


@given(n=st.integers(6, 60), m=st.integers(6, 60), seed=st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_agrees_with_torch_fidelity_and_with_the_definition(n: int, m: int, seed: int) -> None:
    from torch_fidelity.metric_prc import calculate_precision_recall_full

    real, fake = draw(seed, n), draw(seed + 1, m, shift=0.4)
    found = compare_manifolds(real, fake)
    reference = calculate_precision_recall_full(fake.double(), real.double(), 3)
    assert (found.precision, found.recall) == pytest.approx(reference)
    assert (found.density, found.coverage) == pytest.approx(density_and_coverage(real, fake))


def test_by_hand() -> None:
    """Real points 0 to 6: the fake at 0.5 is in balls, the one at 100 in none."""
    real = torch.arange(7.0)[:, None]
    fake = torch.tensor([[0.5]] * 4 + [[100.0]] * 4)
    found = compare_manifolds(real, fake)
    assert found.precision == 0.5
    assert found.recall == 0  # equal fakes have balls of no size, and no real point is 0.5
    assert found.coverage == 4 / 7  # the balls of 0, 1, 2 and 3 reach to 5, 5, 5 and 6
    assert found.density == 4 * 4 / (5 * 8)


def test_a_set_covers_itself() -> None:
    real = draw(0, 50)
    found = compare_manifolds(real, real)
    assert (found.precision, found.recall, found.coverage) == (1, 1, 1)


def test_far_away_sets_share_nothing() -> None:
    assert compare_manifolds(draw(0, 30), draw(1, 30, shift=1e3)) == (0, 0, 0, 0)


def test_copies_of_real_points_count_as_inside() -> None:
    real = draw(0, 40, shift=1e3)  # far from zero, where squared distances round
    assert compare_manifolds(real, real[:10].repeat(3, 1)).precision == 1


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    real, fake = draw(0, 50), draw(1, 30, shift=0.4)
    whole = compare_manifolds(real, fake)
    monkeypatch.setattr(manifolds, "ROWS", 7)
    assert compare_manifolds(real, fake) == whole


def test_too_few_points_are_refused() -> None:
    with pytest.raises(ValueError, match="k is 5 for 5 points"):
        compare_manifolds(draw(0, 5), draw(1, 9))
