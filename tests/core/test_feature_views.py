from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from imbsynth.core import feature_views
from imbsynth.core.distribution_calibration import calibrated
from imbsynth.core.feature_views import DrawFeatures, Views, ros, smote
from imbsynth.core.flow_matching import flow
from imbsynth.core.pixels import FetchedRows

SAMPLERS: dict[str, Callable[[Views, np.random.Generator], DrawFeatures]] = {
    "smote": partial(smote, k_neighbors=3),
    "ros": ros,
    "calibrated": partial(calibrated, donor_pull=0.5),
    "flow": partial(flow, steps=3),
}


def cloud(sizes: list[int], views: int = 3, d: int = 4) -> Views:
    """Features of classes far apart; the views of an image are near it."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    images = rng.random((len(labels), d)) + 10 * labels[:, None]
    values = images + 0.01 * rng.random((views, len(labels), d))
    return Views(torch.from_numpy(values).float(), labels)


def drawn(name: str, sizes: list[int], **shape: int) -> DrawFeatures:
    return SAMPLERS[name](cloud(sizes, **shape), np.random.default_rng(0))


@pytest.mark.parametrize("name", SAMPLERS)
@given(rows=st.lists(st.integers(0, 2000), min_size=1, max_size=6))
@settings(deadline=None, max_examples=5)
def test_any_row_can_be_drawn_alone(name: str, rows: list[int]) -> None:
    whole, alone = drawn(name, [5, 2, 1]), drawn(name, [5, 2, 1])
    for label in (2, 0, 1):  # in another order than the classes
        found = alone(label, np.array(rows, np.int64))
        assert found.shape == (len(rows), 4)
        assert found.dtype == torch.float32
        # Products of matrices of other sizes round otherwise.
        expected = whole(label, np.arange(2001))[rows]
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("name", SAMPLERS)
def test_two_equal_classes_do_not_get_equal_draws(name: str) -> None:
    views = cloud([4])
    both = Views([torch.cat([rows[:], rows[:]]) for rows in views.values], np.repeat([0, 1], 4))
    draw = SAMPLERS[name](both, np.random.default_rng(0))
    assert not torch.equal(draw(0, np.arange(20)), draw(1, np.arange(20)))


@pytest.mark.parametrize("name", SAMPLERS)
def test_features_that_are_elsewhere_give_the_same_draws(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_views, "AT_ONCE", 3)
    views = cloud([5, 2, 1])
    arrays: list[Any] = [rows[:].numpy() for rows in views.values]
    fetched = views._replace(values=[FetchedRows(array) for array in arrays])
    here, there = (SAMPLERS[name](all_, np.random.default_rng(0)) for all_ in (views, fetched))
    for label in range(3):
        assert torch.equal(here(label, np.arange(40)), there(label, np.arange(40)))


def test_a_smote_feature_lies_between_views_of_two_images_of_its_class() -> None:
    views = cloud([6, 3], views=2)
    for label, n in ((0, 6), (1, 3)):
        own = views.of(label)
        for made in drawn("smote", [6, 3], views=2)(label, np.arange(60)):
            places = [(v, i) for v in range(2) for i in range(n)]
            pairs = [(own[a], own[b]) for a in places for b in places if a[1] != b[1]]
            starts, ends = (torch.stack(side) for side in zip(*pairs, strict=True))
            edge = ends - starts
            lam = (((made - starts) * edge).sum(1) / edge.square().sum(1)).clamp(0, 1)
            off = (starts + lam[:, None] * edge - made).norm(dim=1)
            assert off.min() < 1e-5


def test_neighbors_are_other_images_and_not_other_views() -> None:
    """Two images, whose views are much nearer to each other than the images are."""
    made = drawn("smote", [2, 2], views=3)(0, np.arange(500))
    first, second = cloud([2, 2], views=3).points(0)
    along = (made - first) @ (second - first) / (second - first).square().sum()
    assert torch.histc(along, 4, 0, 1).min() > 80  # 125 expected of a uniform lam, 4 deviations


def test_copies_are_real_features_in_all_views() -> None:
    views = cloud([3, 2])
    made = drawn("ros", [3, 2])(1, np.arange(200))
    real = views.of(1).flatten(0, 1)
    same = (made[:, None] == real).all(2)
    assert same.any(1).all()
    assert same.any(0).all()


def test_a_single_image_is_shown_in_its_views() -> None:
    made = drawn("smote", [3, 1])(1, np.arange(100))
    views = cloud([3, 1]).of(1)[:, 0]
    assert (made[:, None] == views).all(2).any(1).all()
