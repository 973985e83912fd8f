"""Points at the Mahalanobis distance of an image of the class: AMDO."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbsynth.core.neighbors import nearest
from imbsynth.core.plans import Plan
from imbsynth.core.row_streams import Rows, RowStream
from imbsynth.core.samplers import Draw, Noted, Population, ros

BLOCK = 64  # rows computed at once
FEWEST = 3  # images whose ellipsoid has other points than these images
_NEGLIGIBLE = 1e-10  # of the largest component variance: rounding, where images depend linearly


def amdo(
    population: Population,
    label: int,
    rng: np.random.Generator,
    *,
    k_neighbors: int,
    own_share: float,
) -> Draw:
    """x_new = m + E r with sum_j r_j^2 / V_j = alpha = sum_j z_j^2 / V_j and z = E^T (x - m).

    AMDO of Yang et al. (2018) on numeric values, after MDO of Abdi and Hashemi (2016). Of a class,
    the images count that have at least K1 = `own_share` * K2 images of the class among their
    K2 = `k_neighbors` nearest of all classes; m, the principal axes E and the variances V are
    theirs. A seed x is drawn in proportion to that number of neighbors, and gives alpha: the
    squared Mahalanobis distance that x_new has too. The axes are those of non-zero variance, at
    most n - 1 for n images.

    r = sqrt(alpha V) u / |u| with u from N(0, I): a direction that is uniform where V is 1. A
    departure: public code draws r_1 to r_{d-1} one after the other, each uniform within
    sqrt(alpha V_j), and lands about sqrt(d / 3) times too far out.

    Where fewer than three images count, all of the class do, equally: a class between others would
    get nothing in the paper. One or two images are copied: their ellipsoid has no other points.
    """
    members = population.members[label]
    if len(members) < FEWEST:
        copied = "it is copied" if len(members) == 1 else "they are copied"
        words = f"too few images ({len(members)}) to vary about their mean: {copied}"
        return Noted(ros(population, label, rng), words)
    counts = own_neighbors(population, label, k_neighbors)
    weights = np.where(counts >= own_share * k_neighbors, counts, 0)
    kept = int((weights > 0).sum())
    note = ""
    if kept < FEWEST:
        weights = np.ones(len(members), np.int64)
        note = (
            f"{kept} images have enough neighbors of their own class, and amdo needs {FEWEST}: all "
            f"{len(members)} are used"
        )
    seeds = members[weights > 0]
    draw = _on_ellipsoids(population, seeds, weights[weights > 0], rng)
    return Noted(draw, note) if note else draw


def own_neighbors(population: Population, label: int, k: int) -> NDArray[np.int64]:
    """(n,) for each image of a class, how many of its k nearest of all classes are of the class."""
    points = [population.points(other) for other in range(len(population.members))]
    start = sum(map(len, points[:label]))
    own = slice(start, start + len(points[label]))
    everyone = torch.cat(points)
    found = nearest(everyone, min(k, len(everyone) - 1), own)
    return ((found >= own.start) & (found < own.stop)).sum(1).cpu().numpy()


class Ellipsoid(NamedTuple):
    """The principal components of n points."""

    centre: Tensor  # (d,)
    axes: Tensor  # (q, d) rows of length 1
    variances: Tensor  # (q,) all above zero
    alphas: Tensor  # (n,) the squared Mahalanobis distances of the points


def ellipsoid(points: Tensor) -> Ellipsoid:
    """(n, d) points -> mean and components, in float64; q is their rank, at most n - 1."""
    points = points.to(torch.float64)
    centre = points.mean(0)
    scores, scales, axes = torch.linalg.svd(points - centre, full_matrices=False)
    variances = scales.square() / (len(points) - 1)
    real = variances > _NEGLIGIBLE * variances[0]
    # z^2 / V, where z = scores * scales
    alphas = (len(points) - 1) * scores[:, real].square().sum(1)
    return Ellipsoid(centre, axes[real], variances[real], alphas)


def _on_ellipsoids(
    population: Population,
    seeds: NDArray[np.int64],
    weights: NDArray[np.int64],
    rng: np.random.Generator,
) -> Draw:
    points = population.points_of(seeds)
    shape, points = points.shape[1:], points.flatten(1)
    found = ellipsoid(points)
    ends = weights.cumsum() / weights.sum()
    choices, directions = RowStream(rng), RowStream(rng)

    def block(number: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Seeds and offsets of BLOCK rows, computed together because rounding may depend on it."""
        rows = np.arange(number * BLOCK, (number + 1) * BLOCK)
        seed = np.searchsorted(ends, choices.uniforms(rows, 1)[:, 0], side="right")
        u = torch.from_numpy(directions.normals(rows, len(found.variances))).to(found.axes)
        length = found.alphas[seed].sqrt() / u.norm(dim=1).clamp(min=1e-300)
        r = length[:, None] * found.variances.sqrt() * u
        offsets = found.centre + r @ found.axes - points[seed]
        return seed, offsets.reshape(-1, *shape).float().cpu().numpy()

    def draw(rows: Rows) -> Plan:
        numbers, which = np.unique(rows // BLOCK, return_inverse=True)
        seed = np.empty(len(rows), np.int64)
        offsets = np.empty((len(rows), *shape), np.float32)
        for i, number in enumerate(numbers.tolist()):
            chosen = np.flatnonzero(which == i)
            of_block = block(number)
            seed[chosen] = of_block[0][rows[chosen] % BLOCK]
            offsets[chosen] = of_block[1][rows[chosen] % BLOCK]
        return Plan(rows, seeds[seed][:, None], np.ones((len(rows), 1)), offsets)

    return draw
