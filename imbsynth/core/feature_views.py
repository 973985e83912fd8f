"""Features of images in several views, and what samplers make of them.

A feature sampler is a function of the features of all classes and a generator, which fits what it
needs once and returns a function from a class and row numbers to synthetic features. As with the
plans of `samplers`, a row depends on its class and its number alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbsynth.core import samplers
from imbsynth.core.plans import combine
from imbsynth.core.row_streams import Rows, RowStream

AT_ONCE = 8192  # images whose features are looked at together

DrawFeatures = Callable[[int, Rows], Tensor]  # a class and (m,) row numbers -> (m, d) float32


class FeatureRows(Protocol):
    """(n, d) float32: a tensor, or rows that come when they are asked for."""

    @property
    def shape(self) -> Sequence[int]: ...
    @property
    def device(self) -> torch.device: ...
    def __getitem__(self, images: Any, /) -> Tensor: ...
    def split(self, count: int, /) -> Iterable[Tensor]: ...


class Views(NamedTuple):
    """The features of n images, each in v views: as it is, and augmented. A `Population`."""

    values: Tensor | Sequence[FeatureRows]  # (v, n, d) float32
    labels: NDArray[np.int64]  # (n,) with at least one of each of 0..k-1
    change: Callable[[Tensor], Tensor] = lambda values: values  # of (..., d) that are asked for

    @property
    def dim(self) -> int:
        """d."""
        return self.values[0].shape[1]

    @property
    def device(self) -> torch.device:
        """Of features that are asked for."""
        return self.values[0].device

    @property
    def members(self) -> list[NDArray[np.int64]]:
        """The images of each class."""
        return [np.flatnonzero(self.labels == label) for label in range(self.labels.max() + 1)]

    def of(self, label: int) -> Tensor:
        """(v, n_k, d) features of the images of a class."""
        return self._in_all_views(np.flatnonzero(self.labels == label))

    def points(self, label: int) -> Tensor:
        """(n_k, d): the mean over the views of each image."""
        return self.of(label).mean(0)

    def points_of(self, images: NDArray[np.int64]) -> Tensor:
        """(m, d): the same of images of any class."""
        return self._in_all_views(images).mean(0)

    def seen(self, images: NDArray[np.int64], chances: NDArray[np.float64]) -> Tensor:
        """(m,) images and (m,) numbers in [0, 1) that choose a view -> (m, d) features."""
        which = (chances * len(self.values)).astype(np.int64)
        parts = [rows[self._places(images[which == view])] for view, rows in enumerate(self.values)]
        place = np.argsort(np.argsort(which, kind="stable"))  # of each among the parts
        return self.change(torch.cat(parts)[self._places(place)])

    def blocks(self) -> Iterator[Tensor]:
        """All features, (m, d) at a time."""
        return (self.change(some) for rows in self.values for some in rows.split(AT_ONCE))

    def _in_all_views(self, images: NDArray[np.int64]) -> Tensor:
        places = self._places(images)
        return self.change(torch.stack([rows[places] for rows in self.values]))

    def _places(self, numbers: NDArray[np.int64]) -> Tensor:
        return torch.from_numpy(numbers).to(self.device)


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
