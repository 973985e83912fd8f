"""Variation that is borrowed: how two images of a larger class differ changes an image of a small
one."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from imbsynth.core.batches import Indices
from imbsynth.core.neighbors import nearest
from imbsynth.core.plans import Plan
from imbsynth.core.row_streams import Rows, RowStream
from imbsynth.core.samplers import Draw, Population, in_turn

NEIGHBORS = 5  # of an image in its own class, for pairs of neighbors


def transfer(
    population: Population,
    label: int,
    rng: np.random.Generator,
    *,
    strength: float,
    donors: str,
    donor_pairs: str,
) -> Draw:
    """x_new = x_b + a (x_p - x_q), with p and q of one class that is larger than b's.

    The idea is that of feature transfer for long tails (Yin et al., 2019, "Feature Transfer
    Learning for Face Recognition with Under-Represented Data"; Liu et al., 2020, "Deep
    Representation Learning on Long-Tailed Data"): classes vary alike about their means, and a small
    class has too few images to show it. Those papers fit a covariance; here the difference of two
    images is a draw of the variation itself, which needs no estimate (Schwartz et al., 2018,
    "Delta-encoder", learn such differences).

    Parents are b, p and q with the weights 1, a and -a, a = `strength`. Every b is used equally
    often. `donors`: "random", where p is any image of the larger classes, or "nearest", the larger
    class whose mean is nearest to the class's own. `donor_pairs`: q is another image of p's class,
    at "random" or of the 5 nearest "neighbors" of p. Where no larger class has two images, the
    class itself is the donor; a single image is copied then, as p and q are b.
    """
    members = population.members[label]
    pool = _pool(population, label, donors)
    others = _other_of_pair(population, pool, donor_pairs)
    orders, choices = RowStream(rng), RowStream(rng)

    def draw(rows: Rows) -> Plan:
        base = members[in_turn(orders, rows, len(members))]
        if not len(pool.images):
            weights = np.tile([1.0, 0.0, 0.0], (len(rows), 1))
            return Plan(rows, np.stack([base, base, base], 1), weights)
        first, second = choices.uniforms(rows, 2).T
        place = (first * len(pool.images)).astype(np.int64)
        parents = np.stack([base, pool.images[place], others(place, second)], 1)
        return Plan(rows, parents, np.tile([1.0, strength, -strength], (len(rows), 1)))

    return draw


class _Pool(NamedTuple):
    """The images of the donor classes, class after class."""

    images: Indices  # (n,)
    labels: list[int]  # of the classes
    starts: Indices  # (k,) where each class begins
    sizes: Indices  # (k,)


def _pool(population: Population, label: int, donors: str) -> _Pool:
    sizes = [len(own) for own in population.members]
    larger = [k for k, size in enumerate(sizes) if size > max(1, sizes[label])]
    if not larger and sizes[label] > 1:
        larger = [label]
    if donors == "nearest" and larger:
        own = _mean(population, label)
        larger = [min(larger, key=lambda k: float((_mean(population, k) - own).square().sum()))]
    images = [population.members[k] for k in larger]
    chosen = np.array([len(own) for own in images], np.int64)
    joined = np.concatenate([*images, np.zeros(0, np.int64)])
    return _Pool(joined, larger, chosen.cumsum() - chosen, chosen)


def _mean(population: Population, label: int) -> torch.Tensor:
    return population.points(label).to(torch.float64).mean(0)


def _other_of_pair(
    population: Population, pool: _Pool, donor_pairs: str
) -> Callable[[Indices, NDArray[np.float64]], Indices]:
    """A function from (m,) places in the pool and (m,) numbers in [0, 1) to (m,) images."""
    neighbors: dict[int, Indices] = {}  # of each donor class, found when it is first needed

    def of_class(k: int, own: Indices, chance: NDArray[np.float64]) -> Indices:
        """For (m,) images of a donor class by their place in it, the places of the others."""
        if donor_pairs == "random":
            other = (chance * (pool.sizes[k] - 1)).astype(np.int64)
            return other + (other >= own)
        if k not in neighbors:
            points = population.points(pool.labels[k])
            neighbors[k] = nearest(points, min(NEIGHBORS, len(points) - 1)).cpu().numpy()
        return neighbors[k][own, (chance * neighbors[k].shape[1]).astype(np.int64)]

    def others(place: Indices, chance: NDArray[np.float64]) -> Indices:
        which = np.searchsorted(pool.starts, place, side="right") - 1
        found = np.empty_like(place)
        for k in np.unique(which).tolist():
            chosen = which == k
            start = pool.starts[k]
            found[chosen] = start + of_class(k, place[chosen] - start, chance[chosen])
        return pool.images[found]

    return others
