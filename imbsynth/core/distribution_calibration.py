"""Features drawn from normal distributions whose shape is borrowed from larger classes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from imbsynth.core.batches import Indices
from imbsynth.core.feature_views import DrawFeatures, Views
from imbsynth.core.row_streams import Rows, RowStream
from imbsynth.core.samplers import in_turn

POWER = 0.5  # Tukey's lambda, the paper's
DONORS = 2  # the paper's k
RIDGE = 1e-6  # of the mean variance, added to each: few images leave directions without any


class Gaussian(NamedTuple):
    """Of features."""

    mean: Tensor  # (d,) float64
    covariance: Tensor  # (d, d) float64


def calibrated(views: Views, rng: np.random.Generator, *, donor_pull: float) -> DrawFeatures:
    """Distribution calibration (Yang, Liu and Xu, "Free Lunch for Few-Shot Learning", ICLR 2021).

        x = tukey(feature),  x_new ~ N((1 - a) x + a mu, Sigma),  feature_new = untukey(x_new)

    mu and Sigma are the means of those of the 2 classes with the nearest means to the image among
    the classes with more images; a = `donor_pull`, in equation 6 of the paper 2/3 (3 in all, of the
    same weight). Every image of a class is used equally often, in a random view. A class without a
    larger one lends to itself.

    Departures: the authors train on transformed features, and here the head takes features as they
    are; so the moments of larger classes are those of transformed features too. Their constant
    that is added to the whole covariance depends on the scale of the features and is left out.
    """
    views = views._replace(change=tukey)
    members, means = views.members, class_means(views)
    orders, chosen, noise = ([RowStream(rng) for _ in members] for _ in range(3))
    donors_of = cache(lambda label: nearest_larger(views, means, label))
    moments_of = cache(lambda k: moments(views.of(k).flatten(0, 1)))
    lent_by = cache(lambda donors: lent([moments_of(k) for k in donors]))
    root_of = cache(lambda donors: root(lent_by(donors).covariance))

    def draw(label: int, rows: Rows) -> Tensor:
        place = in_turn(orders[label], rows, len(members[label]))
        images, chances = members[label][place], chosen[label].uniforms(rows, 1)[:, 0]
        made = views.seen(images, chances).double()
        normals = torch.from_numpy(noise[label].normals(rows, made.shape[1])).to(made)
        groups, which = np.unique(donors_of(label)[place], axis=0, return_inverse=True)
        for i, donors in enumerate(map(tuple, groups.tolist())):
            own = torch.from_numpy(np.flatnonzero(which.reshape(-1) == i)).to(made.device)
            mean = (1 - donor_pull) * made[own] + donor_pull * lent_by(donors).mean
            made[own] = mean + normals[own] @ root_of(donors).T
        return untukey(made).float()

    return draw


def tukey(values: Tensor) -> Tensor:
    """x^lambda of the ladder of powers (equation 3); of features below 0, -(-x)^lambda."""
    return values.sign() * values.abs() ** POWER


def untukey(values: Tensor) -> Tensor:
    """The inverse of `tukey`."""
    return values.sign() * values.abs() ** (1 / POWER)


def moments(points: Tensor) -> Gaussian:
    """(n, d) points -> mean and covariance, by n - 1."""
    points = points.double()
    mean = points.mean(0)
    centred = points - mean
    return Gaussian(mean, centred.T @ centred / max(1, len(points) - 1))


def lent(donors: Sequence[Gaussian]) -> Gaussian:
    """The means of the moments of some classes."""
    return Gaussian(*(torch.stack(found).mean(0) for found in zip(*donors, strict=True)))


def root(covariance: Tensor) -> Tensor:
    """L with L L^T = covariance, made positive definite by RIDGE: (d, d) -> (d, d)."""
    ridge = (RIDGE * covariance.diagonal().mean()).clamp(min=1e-12)
    return torch.linalg.cholesky(covariance + ridge * torch.eye(len(covariance)).to(covariance))


def class_means(views: Views) -> Tensor:
    """(k, d) float64: the mean features of each class, over images and views."""
    classes = range(len(views.members))
    return torch.stack([views.of(k).double().mean((0, 1)) for k in classes])


def nearest_larger(views: Views, means: Tensor, label: int) -> Indices:
    """(n_k, p), p <= 2: for each image of a class, the larger classes with the nearest means.

    means: `class_means`. In order of their numbers; the class itself where none is larger.
    """
    sizes = [len(own) for own in views.members]
    larger = [k for k, size in enumerate(sizes) if size > sizes[label]] or [label]
    distances = torch.cdist(views.points(label).double(), means[larger])
    nearest = distances.topk(min(DONORS, len(larger)), largest=False).indices.cpu().numpy()
    return np.array(larger)[np.sort(nearest, 1)]
