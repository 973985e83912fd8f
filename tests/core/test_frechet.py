from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchmetrics.image.fid import _compute_fid

from imbsynth.core.frechet import (
    NOISE,
    Moments,
    StoredFeatures,
    Summary,
    absorb,
    frechet_distance,
    summary_for,
)


def draw(seed: int, n: int, d: int, *, shift: float = 0.0) -> Tensor:
    """(n, d) features with correlated and unequal dimensions, as networks have them."""
    rng = np.random.default_rng(seed)
    mix = rng.normal(size=(d, d)) * np.geomspace(1, 1e-2, d)
    return torch.from_numpy(rng.normal(size=(n, d)) @ mix + shift)


def few(features: Tensor) -> StoredFeatures:
    summary = StoredFeatures(features.shape[1])
    summary.add(features)
    return summary


def moments(features: Tensor) -> Moments:
    summary = Moments(features.shape[1])
    for batch in features.split(7):
        summary.add(batch)
    return summary


def by_sqrtm(one: Tensor, other: Tensor) -> float:
    """The formula word by word, with SciPy's matrix root."""
    a, b = one.numpy(), other.numpy()
    covariances = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1])
    gap = a.mean(0) - b.mean(0)
    return float(gap @ gap + np.trace(covariances[0] + covariances[1] - 2 * np.real(root)))


def test_by_hand() -> None:
    """N(0, 2) and N(3, 8) in one dimension: 3^2 + (sqrt 2 - sqrt 8)^2 = 11."""
    one, other = torch.tensor([[-1.0], [1.0]]), torch.tensor([[1.0], [5.0]])
    assert frechet_distance(moments(one), moments(other)) == pytest.approx(11)


def test_agrees_with_scipys_matrix_root() -> None:
    one, other = draw(0, 300, 24), draw(1, 200, 24, shift=0.3)
    expected = by_sqrtm(one, other)
    assert frechet_distance(moments(one), moments(other)) == pytest.approx(expected, rel=1e-9)


def test_agrees_with_torchmetrics() -> None:
    one, other = draw(0, 300, 24), draw(1, 200, 24, shift=0.3)
    reference = _compute_fid(one.mean(0), one.T.cov(), other.mean(0), other.T.cov())
    ours = frechet_distance(moments(one), moments(other))
    assert ours == pytest.approx(float(reference), rel=1e-9)


def test_agrees_with_torch_fidelity() -> None:
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

    one, other = draw(0, 300, 24), draw(1, 200, 24, shift=0.3)
    statistics = [fid_features_to_statistics(features) for features in (one, other)]
    reference = fid_statistics_to_metric(*statistics, verbose=False)
    ours = frechet_distance(moments(one), moments(other))
    assert ours == pytest.approx(reference["frechet_inception_distance"], rel=1e-9)


@given(n=st.integers(2, 30), m=st.integers(2, 30), seed=st.integers(0, 2**31))
@settings(max_examples=40, deadline=None)
@example(n=30, m=30, seed=675)  # the full form loses a root: 7.6e-8
@example(n=30, m=30, seed=901)  # all forms but that of the features lose one
def test_few_images_give_the_full_forms_distance_to_1e_8(n: int, m: int, seed: int) -> None:
    """n - 1 of 40 dimensions have spread: the full form meets its singular matrices.

    It takes an eigenvalue of less than NOISE times the largest for none, and loses its root, once
    in a hundred draws of 30 images; features themselves lose none. So much may be added, twice.
    """
    one, other = draw(seed, n, 40), draw(seed + 1, m, 40, shift=0.1)
    full = frechet_distance(moments(one), moments(other))
    largest = float(torch.linalg.matrix_norm(few(one).factor() @ few(other).factor().T, 2))
    lost = 2 * 2 * NOISE**0.5 * largest
    pairs: list[tuple[Summary, Summary]] = [
        (few(one), few(other)),
        (few(one), moments(other)),
        (moments(one), few(other)),
    ]
    for pair in pairs:
        assert abs(frechet_distance(*pair) - full) < 1e-8 * full + lost


KINDS: list[Callable[[Tensor], Summary]] = [few, moments]


@pytest.mark.parametrize("kind", KINDS)
@given(n=st.integers(2, 80), seed=st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_zero_on_itself(kind: Callable[[Tensor], Summary], n: int, seed: int) -> None:
    features = draw(seed, n, 20)
    summary = kind(features)
    scale = float(features.square().sum(1).mean())
    # The full form takes roots of squares: an eigenvalue below the root of NOISE, 6e-8 of the
    # largest, is lost in rounding. StoredFeatures images have no such (n > d, nearly equal, is the
    # worst).
    limit = 1e-7 if kind is moments else 1e-12
    assert 0 <= frechet_distance(summary, kind(features)) <= limit * scale


@given(seed=st.integers(0, 2**31), n=st.integers(2, 60))
@settings(max_examples=20, deadline=None)
def test_symmetric_and_unchanged_by_rotation_and_shift(seed: int, n: int) -> None:
    one, other = draw(seed, n, 12), draw(seed + 1, 40, 12)
    distance = frechet_distance(moments(one), moments(other))
    assert frechet_distance(moments(other), moments(one)) == pytest.approx(distance, rel=1e-8)
    rotation = torch.linalg.qr(draw(seed, 12, 12)).Q
    moved = [features @ rotation + 5 for features in (one, other)]
    assert frechet_distance(moments(moved[0]), moments(moved[1])) == pytest.approx(
        distance, rel=1e-7
    )


def test_scaling_the_features_squares_the_distance() -> None:
    one, other = draw(0, 50, 8), draw(1, 50, 8)
    distance = frechet_distance(moments(one), moments(other))
    assert frechet_distance(moments(3 * one), moments(3 * other)) == pytest.approx(9 * distance)


def test_moments_in_one_pass_are_those_of_all_features() -> None:
    features = draw(0, 100, 6, shift=1e6)  # far from zero, where sums of squares would cancel
    summary = moments(features)
    assert torch.allclose(summary.mean, features.mean(0), rtol=1e-14)
    assert torch.allclose(summary.scatter / 99, features.T.cov(), rtol=1e-6, atol=1e-9)


@given(cuts=st.lists(st.integers(0, 40), max_size=4))
@settings(max_examples=20, deadline=None)
def test_merged_classes_are_the_pool(cuts: list[int]) -> None:
    features = draw(0, 40, 5)
    whole, pool = moments(features), Moments(5)
    bounds = [0, *sorted(cuts), 40]
    for start, stop in pairwise(bounds):
        part: Summary = summary_for(stop - start, 5)
        part.add(features[start:stop])
        absorb(pool, part)
    assert pool.count == 40
    assert torch.allclose(pool.mean, whole.mean)
    assert torch.allclose(pool.scatter, whole.scatter)


def test_many_images_do_not_fit_a_pool_of_few() -> None:
    with pytest.raises(ValueError, match="more images than its pool"):
        absorb(StoredFeatures(4), moments(draw(0, 10, 4)))


def test_dimensions_without_spread_add_nothing() -> None:
    one, other = draw(0, 60, 6), draw(1, 60, 6)
    distance = frechet_distance(moments(one), moments(other))
    padded = [torch.cat([features, torch.ones(60, 30)], 1) for features in (one, other)]
    assert frechet_distance(moments(padded[0]), moments(padded[1])) == pytest.approx(
        distance, rel=1e-9
    )
    constant = torch.ones(4, 3)
    assert frechet_distance(moments(constant), moments(constant)) == 0
    assert frechet_distance(few(constant), moments(constant + 1)) == 3


def test_a_single_image_has_no_covariance() -> None:
    with pytest.raises(ValueError, match="needs 2"):
        frechet_distance(few(draw(0, 1, 4)), moments(draw(1, 9, 4)))
