from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from imbsynth.core.batches import ByClass, draw_batches, draw_class_batch, epochs_without_progress


@given(count=st.integers(2, 500), size=st.integers(2, 100), seed=st.integers(0, 2**32))
def test_batches_hold_every_image_once_and_none_is_tiny(count: int, size: int, seed: int) -> None:
    batches = draw_batches(count, size, np.random.default_rng(seed))
    assert sorted(np.concatenate(batches).tolist()) == list(range(count))
    lengths = [len(batch) for batch in batches]
    assert min(lengths) >= 2
    assert max(lengths) <= max(size, 3)
    assert max(lengths) - min(lengths) <= 1


@given(count=st.integers(2, 50), total=st.integers(2, 200), seed=st.integers(0, 2**32))
def test_an_epoch_of_another_length_goes_round_evenly(count: int, total: int, seed: int) -> None:
    batches = draw_batches(count, 8, np.random.default_rng(seed), total=total)
    times = np.bincount(np.concatenate(batches), minlength=count)
    assert times.sum() == total
    assert times.max() - times.min() <= 1


def test_a_class_batch_is_of_one_class_drawn_uniformly() -> None:
    classes = [np.arange(100), np.arange(100, 104)]
    drawn = [draw_class_batch(classes, 10, np.random.default_rng(i)) for i in range(400)]
    small = [batch for batch in drawn if (batch.members >= 100).all()]
    large = [batch for batch in drawn if (batch.members < 100).all()]
    assert len(small) + len(large) == 400
    assert abs(len(small) - 200) < 50  # five standard deviations
    assert all(len(set(batch.members.tolist())) == 10 for batch in large)
    assert all(sorted(batch.order.tolist()) == list(range(10)) for batch in drawn)


def test_progress_is_a_fall_below_the_best() -> None:
    assert epochs_without_progress([]) == 0
    assert epochs_without_progress([3.0, 2.0, 1.0]) == 0
    assert epochs_without_progress([3.0, 1.0, 2.0, 1.5]) == 2
    assert epochs_without_progress([1.0, 0.9995, 0.9994]) == 2  # less than a thousandth


def test_places_by_class_are_of_all_classes_equally_often() -> None:
    labels = np.array([2, 0, 0, 1, 0, 0, 0, 2])
    drawn = ByClass(labels).draw(6000, np.random.default_rng(0))
    assert np.abs(np.bincount(labels[drawn]) / 6000 - 1 / 3).max() < 0.03
    assert set(drawn.tolist()) == set(range(8))
    assert np.abs(np.bincount(drawn)[[1, 2, 4, 5, 6]] / 400 - 1).max() < 0.2
