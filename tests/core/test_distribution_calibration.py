from __future__ import annotations

import numpy as np
import pytest
import torch

from imbsynth.core.distribution_calibration import (
    Gaussian,
    calibrated,
    class_means,
    lent,
    moments,
    nearest_larger,
    root,
    tukey,
    untukey,
)
from imbsynth.core.feature_views import Views


def test_tukey_by_hand_and_back() -> None:
    values = torch.tensor([0.0, 0.25, 4.0, 9.0, -4.0])
    assert tukey(values).tolist() == [0, 0.5, 2, 3, -2]
    assert untukey(tukey(values)).tolist() == values.tolist()


def test_moments_are_numpys() -> None:
    points = np.random.default_rng(0).normal(size=(9, 3))
    found = moments(torch.from_numpy(points))
    np.testing.assert_allclose(found.mean, points.mean(0))
    np.testing.assert_allclose(found.covariance, np.cov(points.T))


def test_lent_moments_are_means_over_the_donors() -> None:
    first = Gaussian(torch.tensor([1.0, 2.0]), torch.eye(2))
    second = Gaussian(torch.tensor([3.0, 6.0]), torch.tensor([[3.0, 1.0], [1.0, 5.0]]))
    found = lent([first, second])
    assert found.mean.tolist() == [2, 4]
    assert found.covariance.tolist() == [[2, 0.5], [0.5, 3]]


def test_the_root_of_a_covariance_of_few_points() -> None:
    """Two points in three dimensions: there is no variance but along their difference."""
    covariance = moments(torch.tensor([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0]])).covariance
    found = root(covariance)
    torch.testing.assert_close(found @ found.T, covariance, rtol=0, atol=1e-5)
    assert root(torch.zeros(2, 2, dtype=torch.float64)).isfinite().all()


def classes_at(places: list[float], sizes: list[int]) -> Views:
    """Features x^2 of points around places on a line, so that `tukey` gives the points."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    points = np.array(places)[labels] + rng.normal(0, 0.1, len(labels))
    return Views(torch.from_numpy(points**2)[None, :, None], labels)


def transformed(views: Views) -> Views:
    return views._replace(change=tukey)


@pytest.mark.parametrize(
    ("label", "donors"),
    [(0, [0]), (1, [0]), (2, [0, 1]), (3, [1, 2])],
)
def test_donors_are_the_two_nearest_larger_classes(label: int, donors: list[int]) -> None:
    views = transformed(classes_at([3, 5, 7, 6], [9, 6, 4, 2]))
    found = nearest_larger(views, class_means(views), label)
    assert found.tolist() == [donors] * [9, 6, 4, 2][label]


def test_two_images_of_a_class_may_have_other_donors() -> None:
    values = torch.tensor([1.0, 1, 1, 9, 9, 9, 5, 5, 5, 2, 8])
    views = Views(values[None, :, None], np.repeat([0, 1, 2, 3], [3, 3, 3, 2]))
    assert nearest_larger(views, class_means(views), 3).tolist() == [[0, 2], [1, 2]]


@pytest.mark.parametrize("pull", [0.0, 0.5, 2 / 3])
def test_what_is_drawn_has_the_borrowed_moments(pull: float) -> None:
    """A single image and two larger classes, in the plane, against numpy."""
    rng = np.random.default_rng(1)
    shape = np.array([[0.3, 0.1], [0.0, 0.2]])
    first = rng.normal(size=(40, 2)) @ shape + 5
    second = rng.normal(size=(30, 2)) @ shape.T + [6, 4]
    image = np.array([[5.0, 6.0]])
    points = np.concatenate([first, second, image])
    views = Views(torch.from_numpy(points**2)[None], np.repeat([0, 1, 2], [40, 30, 1]))
    n = 20_000
    draw = calibrated(views, np.random.default_rng(0), donor_pull=pull)
    made = draw(2, np.arange(n)).double().sqrt().numpy()
    mean = (1 - pull) * image[0] + pull * (first.mean(0) + second.mean(0)) / 2
    covariance = (np.cov(first.T) + np.cov(second.T)) / 2
    # Standard errors: s / sqrt(n), and at most s^2 sqrt(2 / n); five of them are allowed.
    variance = covariance.diagonal().max()
    np.testing.assert_allclose(made.mean(0), mean, atol=5 * np.sqrt(variance / n))
    np.testing.assert_allclose(np.cov(made.T), covariance, atol=5 * variance * np.sqrt(2 / n))
