"""Samplers: where synthetic points come from.

A sampler is a function of the points of all classes, the class to draw for and a generator; what it
finds out once (nearest neighbors) it keeps, and returns a function from row numbers to these rows
of its plan. A row depends on its number alone: a larger plan begins with the smaller one, and any
row can be drawn again by itself. Keyword-only parameters are the sampler's options.

A joint sampler is a function of the points and of one generator per class instead: what it draws
for one class depends on what it draws for others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from imbsynth.core.neighbors import nearest
from imbsynth.core.plans import Plan
from imbsynth.core.row_streams import Rows, RowStream


class Population(Protocol):
    """The points of all images of a folder, by class."""

    @property
    def members(self) -> list[NDArray[np.int64]]:
        """The image indices of each class, in class order."""

    def points(self, label: int) -> Tensor:
        """(n, ...) points of the images of a class, any number type; computed when asked for."""

    def points_of(self, images: NDArray[np.int64]) -> Tensor:
        """(m, ...) float points of images of any class: what offsets are added to."""


Draw = Callable[[Rows], Plan]
Rngs = Sequence[np.random.Generator]  # one per class, for a joint sampler
Sampler = Callable[..., Draw]  # (population, label, rng, *, its options)


@dataclass(frozen=True)
class Noted:
    """A `Draw` of which a person should know something."""

    draw: Draw
    note: str  # to follow the name of the class: "a single image, which is copied"

    def __call__(self, rows: Rows) -> Plan:
        return self.draw(rows)


class Joint(Protocol):
    """What a joint sampler makes of (population, a generator per class, *, its options)."""

    def draw(self, label: int) -> Draw:
        """The draw of a class."""

    def moved(self) -> dict[int, float]:
        """How far images of the folder would be moved to make room, in L1, by their index."""


def smote(
    population: Population,
    label: int,
    rng: np.random.Generator,
    *,
    k_neighbors: int,
    lambda_range: tuple[float, float] = (0, 1),
) -> Draw:
    """Chawla et al. (2002): from each image of the class towards one of its nearest neighbors.

    x_new = x + lam (x_nn - x): x_nn is one of the k = min(k_neighbors, n - 1) nearest of the class
    by Euclidean distance, and lam is uniform in `lambda_range`, as in the paper [0, 1) unless it is
    narrower. As in the paper every image is used equally often; the remainder is drawn without
    replacement. A single image has no neighbor and is copied.
    """
    members = population.members[label]
    n = len(members)
    if n == 1:
        return ros(population, label, rng)
    k = min(k_neighbors, n - 1)
    low, high = lambda_range
    neighbors = members[nearest(population.points(label), k).cpu().numpy()]  # (n, k)
    orders, choices = RowStream(rng), RowStream(rng)

    def draw(rows: Rows) -> Plan:
        base = in_turn(orders, rows, n)
        rank, lam = choices.uniforms(rows, 2).T
        lam = low + (high - low) * lam
        other = neighbors[base, (rank * k).astype(np.int64)]
        return Plan(rows, np.stack([members[base], other], 1), np.stack([1 - lam, lam], 1))

    return draw


def in_turn(orders: RowStream, rows: Rows, n: int) -> NDArray[np.int64]:
    """(m,) row numbers -> (m,) of 0..n-1, so that every n rows from a multiple of n hold each once.

    Round r of n rows has the order in which n random numbers of its own sort.
    """
    rounds, which = np.unique(rows // n, return_inverse=True)
    orders_of_rounds = orders.uniforms(rounds, n).argsort(1)
    return orders_of_rounds[which, rows % n]


def ros(population: Population, label: int, rng: np.random.Generator) -> Draw:
    """Random oversampling: copies of images drawn with replacement."""
    members = population.members[label]
    choices = RowStream(rng)

    def draw(rows: Rows) -> Plan:
        base = (choices.uniforms(rows, 1) * len(members)).astype(np.int64)
        return Plan(rows, members[base], np.ones((len(rows), 1)))

    return draw
