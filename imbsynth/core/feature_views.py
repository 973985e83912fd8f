"""Features of images in several views, and what samplers make of them.

A feature sampler is a function of the features of all classes and a generator, which fits what it
needs once and returns a function from a class and row numbers to synthetic features. As with the
plans of `samplers`, a row depends on its class and its number alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbsynth.core import samplers
from imbsynth.core.plans import combine
from imbsynth.core.row_streams import Rows, RowStream

DrawFeatures = Callable[[int, Rows], Tensor]  # a class and (m,) row numbers -> (m, d) float32


class Views(NamedTuple):
    """The features of n images, each in v views: as it is, and augmented. A `Population`."""

    values: Tensor  # (v, n, d) float32
    labels: NDArray[np.int64]  # (n,) with at least one of each of 0..k-1

    @property
    def members(self) -> list[NDArray[np.int64]]:
        """The images of each class."""
        return [np.flatnonzero(self.labels == label) for label in range(self.labels.max() + 1)]

    def of(self, label: int) -> Tensor:
        """(v, n_k, d) features of the images of a class."""
        own = np.flatnonzero(self.labels == label)
        return self.values[:, torch.from_numpy(own).to(self.values.device)]

    def points(self, label: int) -> Tensor:
        """(n_k, d): the mean over the views of each image."""
        return self.of(label).mean(0)

    def points_of(self, images: NDArray[np.int64]) -> Tensor:
        """(m, d): the same of images of any class."""
        return self.values[:, torch.from_numpy(images).to(self.values.device)].mean(0)

    def seen(self, images: NDArray[np.int64], chances: NDArray[np.float64]) -> Tensor:
        """(m,) images and (m,) numbers in [0, 1) that choose a view -> (m, d) features."""
        which = (chances * len(self.values)).astype(np.int64)
        places = (torch.from_numpy(place).to(self.values.device) for place in (which, images))
        return self.values[tuple(places)]


def smote(
    views: Views,
    rng: np.random.Generator,
    *,
    k_neighbors: int,
    lambda_range: tuple[float, float] = (0, 1),
) -> DrawFeatures:
    """`samplers.smote` on features: neighbors by the mean over views, each parent in a random view.

    So neighbors are other images; the nearest features of one view are other views of the same.
    """
    draws = [
        samplers.smote(views, label, rng, k_neighbors=k_neighbors, lambda_range=lambda_range)
        for label in range(len(views.members))
    ]
    return _planned(views, draws, rng)


def ros(views: Views, rng: np.random.Generator) -> DrawFeatures:
    """Features of real images in random views: what synthesis is compared with."""
    draws = [samplers.ros(views, label, rng) for label in range(len(views.members))]
    return _planned(views, draws, rng)


def _planned(views: Views, draws: list[samplers.Draw], rng: np.random.Generator) -> DrawFeatures:
    """The rows of plans, computed."""
    streams = [RowStream(rng) for _ in draws]

    def draw(label: int, rows: Rows) -> Tensor:
        plan = draws[label](rows)
        chances = streams[label].uniforms(rows, plan.parents.shape[1])
        parents = [
            views.seen(images, chance)
            for images, chance in zip(plan.parents.T, chances.T, strict=True)
        ]
        return combine(parents, torch.from_numpy(plan.weights))

    return draw
