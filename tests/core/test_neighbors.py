from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from imbsynth.core import neighbors
from imbsynth.core.neighbors import nearest


def test_nearest_by_hand() -> None:
    points = torch.tensor([[0.0], [1.0], [3.0], [7.0]])
    assert nearest(points, 2).tolist() == [[1, 2], [0, 2], [1, 0], [2, 1]]


def test_equal_points_are_neighbors_but_a_point_is_not_its_own() -> None:
    found = nearest(torch.zeros(6, 3), 5)
    for row, others in enumerate(found.tolist()):
        assert sorted(others) == [i for i in range(6) if i != row]


@given(n=st.integers(3, 60), d=st.integers(1, 8), seed=st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_nearest_agrees_with_scikit_learn(n: int, d: int, seed: int) -> None:
    points = torch.randn(n, d, generator=torch.Generator().manual_seed(seed))
    k = min(5, n - 1)
    reference = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(points.numpy())
    assert nearest(points, k).tolist() == reference.kneighbors(return_distance=False).tolist()


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    points = torch.randn(50, 4, generator=torch.Generator().manual_seed(0))
    whole = nearest(points, 7)
    monkeypatch.setattr(neighbors, "ROWS", 8)
    monkeypatch.setattr(neighbors, "COLUMNS", 3)
    assert torch.equal(nearest(points, 7), whole)
    monkeypatch.setattr(neighbors, "MOST_VALUES", 8)  # two points, as if they were photographs
    assert torch.equal(nearest(points, 7), whole)


def test_close_pairs_far_from_the_origin_are_told_apart() -> None:
    points = torch.tensor([[1000.0], [1000.5], [1001.5], [1003.0]])
    assert nearest(points, 1).flatten().tolist() == [1, 0, 1, 2]


def test_pixels_are_compared_without_overflow() -> None:
    points = torch.tensor([[0], [200], [255]], dtype=torch.uint8)
    assert nearest(points, 1).flatten().tolist() == [1, 2, 1]


@pytest.mark.parametrize("k", [0, 4])
def test_an_impossible_k_is_refused(k: int) -> None:
    with pytest.raises(ValueError, match=f"k is {k} for 4 points"):
        nearest(torch.zeros(4, 2), k)


def test_neighbors_of_some_points_are_those_they_have_among_all() -> None:
    points = torch.randn(3000, 2, generator=torch.Generator().manual_seed(0))
    everyone = nearest(points, 3)
    assert torch.equal(nearest(points, 3, slice(500, 1700)), everyone[500:1700])
