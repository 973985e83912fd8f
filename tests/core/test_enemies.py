"""What AMDO, MC-CCR and MC-RBO have in common, and the classes that they set against each other."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from imbsynth.core.amdo import amdo
from imbsynth.core.ccr import Ccr
from imbsynth.core.enemies import city_block, draw_enemies, falling, larger_classes
from imbsynth.core.plans import Plan
from imbsynth.core.rbo import Rbo
from imbsynth.core.row_streams import Rows
from tests.core.test_samplers import Cloud, cloud, offsets_of

METHODS = ("amdo", "ccr", "rbo")


def draw(method: str, sizes: list[int], label: int, rows: Rows) -> Plan:
    population = Cloud([cloud(n, 3, seed=k).reshape(n, 3, 1) for k, n in enumerate(sizes)])
    rngs = [np.random.default_rng(k) for k in range(len(sizes))]
    if method == "amdo":
        return amdo(population, label, rngs[label], k_neighbors=3, own_share=0.4)(rows)
    if method == "ccr":
        found = Ccr(population, rngs, energy=2, energy_unit="median", clean="move")
        return found.draw(label)(rows)
    return Rbo(population, rngs, gamma=0.5, walk_step=0.02, walk_stop=0.1).draw(label)(rows)


@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    rows=st.lists(st.integers(0, 150), max_size=12),
)
@settings(deadline=None, max_examples=25)
@pytest.mark.parametrize("method", METHODS)
def test_any_row_can_be_drawn_alone(method: str, sizes: list[int], rows: list[int]) -> None:
    classes = np.repeat(np.arange(len(sizes)), sizes)
    for label in range(len(sizes)):
        whole = draw(method, sizes, label, np.arange(151))
        alone = draw(method, sizes, label, np.array(rows, np.int64))
        assert np.array_equal(alone.parents, whole.parents[rows])
        assert (classes[whole.parents] == label).all()
        assert (whole.weights == 1).all()
        if whole.offsets is not None:
            assert whole.offsets.shape == (151, 3, 1)
            assert np.isfinite(whole.offsets).all()
            assert np.array_equal(offsets_of(alone), whole.offsets[rows])


def test_classes_fall_by_size_and_keep_their_order_where_equal() -> None:
    assert falling([3, 9, 3, 5]) == [1, 3, 0, 2]
    assert larger_classes([3, 9, 3, 5], 2) == [1, 3]
    assert larger_classes([3, 9, 3, 5], 1) == []


def test_enemies_are_as_many_of_each_larger_class() -> None:
    found = draw_enemies([3, 9, 3, 5, 1], 4, np.random.default_rng(0))
    assert {k: len(places) for k, places in found.items()} == {1: 2, 3: 2, 0: 2, 2: 2}
    assert all(len(set(places)) == 2 and places.max() < 9 for places in found.values())
    (only,) = draw_enemies([3, 9], 0, np.random.default_rng(0)).values()
    assert only.tolist() == list(range(9))


def test_a_class_without_a_larger_one_has_images_of_all_others_for_enemies() -> None:
    found = draw_enemies([9, 2, 5], 0, np.random.default_rng(0))
    assert {k: len(places) for k, places in found.items()} == {1: 2, 2: 4}
    assert all(places.max() < n for places, n in zip(found.values(), (2, 5), strict=True))
    assert draw_enemies([9], 0, np.random.default_rng(0)) == {}


def test_city_block_distances_are_sums_of_absolute_differences() -> None:
    rows, columns = cloud(5, 12).reshape(5, 3, 4), cloud(7, 12, seed=1).reshape(7, 3, 4)
    expected = np.abs(rows.numpy()[:, None] - columns.numpy()).sum((2, 3))
    assert city_block(rows, columns) == pytest.approx(expected)
    assert city_block(rows, torch.zeros(0, 3, 4)).shape == (5, 0)
