"""Cleaning and resampling in spheres: MC-CCR."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbsynth.core.enemies import (
    ROWS_AT_ONCE,
    AgainstLarger,
    Floats,
    Places,
    city_block,
    draw_enemies,
    falling,
    in_parts,
    larger_classes,
)
from imbsynth.core.row_streams import Rows, RowStream
from imbsynth.core.samplers import Draw, Noted, Population, Rngs

_HALF_STEP = 2.0**-54  # keeps logarithms of uniform numbers finite

Uniforms = NDArray[np.float64]


class Ccr(AgainstLarger):
    """MC-CCR of Koziarski, Wozniak and Krawczyk (2020), class after class by falling size.

    Every image x_i of a class grows a sphere of L1 radius r_i until its energy is spent: growth by
    dr costs dr (1 + enemies inside). Enemies are drawn from the larger classes in their new form.
    Those inside are pushed to the surface, x_j + (r_i - d_ij) / d_ij (x_j - x_i), added over all
    spheres that hold x_j (`clean` = "move"), or left ("ignore"). Synthetic points are x_i + v, with
    x_i drawn in proportion to 1 / r_i and v uniform in the L1 ball of radius r_i.

    Departures. `energy` is a multiple of the median distance to the nearest enemy where
    `energy_unit` is "median": on pixels no enemy is within the paper's values ("absolute"), and
    what comes out are copies. x_i is drawn, where the paper rounds shares of a known number: so a
    longer plan begins with the shorter one. An enemy that equals x_i stays: no direction leads
    away. Images are files and stay as they are: what is pushed are enemies of smaller classes and
    synthetic images, and `moved` says how far an image would be. A class without a larger one, for
    which the paper makes nothing, has images of all others for enemies, and moves none.
    """

    def __init__(
        self, population: Population, rngs: Rngs, *, energy: float, energy_unit: str, clean: str
    ) -> None:
        super().__init__(population, rngs)
        self.energy, self.relative, self.moving = energy, energy_unit == "median", clean == "move"
        self.choices = [RowStream(rng) for rng in rngs]
        self._radii: dict[int, NDArray[np.float64]] = {}
        self._pushed: dict[int, Floats] = {}  # (n, d) by place, of the classes some of which moved

    def draw(self, label: int) -> Draw:
        """The draw of a class; the first one settles the spheres of all."""
        for k in falling(self.sizes):
            if k not in self._radii and (k == label or larger_classes(self.sizes, k)):
                self._radii[k] = self._settle(k)
        draw = partial(self.plan, label)
        if self._radii[label].any():
            return draw
        return Noted(draw, "no room around its images, or no other class: they are copied")

    def moved(self) -> dict[int, float]:
        """How far images of the folder would be pushed, in L1, by their index."""
        found: dict[int, float] = {}
        for label, pushed in self._pushed.items():
            members = self.population.members[label]
            lengths = np.abs(pushed[: len(members)]).sum(1, dtype=np.float64)
            moved = np.flatnonzero(lengths)
            found.update(zip(members[moved].tolist(), lengths[moved].tolist(), strict=True))
        return dict(sorted(found.items()))

    def offsets(self, label: int, rows: Rows) -> tuple[NDArray[np.int64], Floats]:
        """(m,) images in proportion to 1 / radius, (m, d) vectors inside their spheres."""
        radii = self._radii[label]
        ends = (1 / np.where(radii > 0, radii, 1)).cumsum()  # all radii are 0, or none is
        d = int(np.prod(self.shape))
        seeds, offsets = np.zeros(0, np.int64), np.zeros((len(rows), d), np.float32)
        for part in in_parts(rows):
            uniforms = self.choices[label].uniforms(part, d + 2)
            drawn = np.searchsorted(ends / ends[-1], uniforms[:, 0], side="right")
            offsets[len(seeds) : len(seeds) + len(part)] = in_ball(uniforms[:, 1:], radii[drawn])
            seeds = np.concatenate([seeds, drawn])
        return seeds, offsets

    def shifts(self, label: int, places: Places) -> Floats:
        """(m, d) how far points are pushed by now; rows beyond the largest class never are."""
        found = super().shifts(label, places)
        if label in self._pushed:
            known = places < len(self._pushed[label])
            found[known] = self._pushed[label][places[known]]
        return found

    def _settle(self, label: int) -> NDArray[np.float64]:
        """(n,) radii of a class's spheres, out of which the enemies are pushed."""
        chosen = draw_enemies(self.sizes, label, self.rngs[label])
        if not chosen:
            return np.zeros(self.sizes[label])
        own, enemies = self.images(label), self.enemies(label, chosen)
        distances = city_block(own, enemies)
        usual = float(np.median(distances.min(1))) if self.relative else 1.0
        radii = radii_of(distances, self.energy * usual)
        if self.moving and larger_classes(self.sizes, label):
            pushed = pushes(own, enemies, distances, radii)
            ends = np.cumsum([len(places) for places in chosen.values()])
            for (k, places), part in zip(chosen.items(), np.split(pushed, ends[:-1]), strict=True):
                self._push(k, places, part)
        return radii

    def _push(self, label: int, places: Places, shifts: Floats) -> None:
        if label not in self._pushed:  # what is never written costs no memory
            self._pushed[label] = np.zeros((max(self.sizes), shifts.shape[1]), np.float32)
        inside = shifts.any(1)
        self._pushed[label][places[inside]] += shifts[inside]


def radii_of(distances: Floats, energy: float) -> NDArray[np.float64]:
    """(n, m) distances to enemies, the energy of each -> (n,) radii.

    With q enemies inside, d_1 to d_q, a sphere has cost (q + 1) r - sum_k d_k.
    """
    radii = np.empty(len(distances))
    for start in range(0, len(distances), ROWS_AT_ONCE):
        near = np.sort(distances[start : start + ROWS_AT_ONCE], 1).astype(np.float64)
        before = np.cumsum(near, 1) - near
        costs = near * np.arange(1, near.shape[1] + 1) - before  # of growing to each enemy
        inside = (costs < energy).sum(1)
        reached = np.where(np.arange(near.shape[1]) < inside[:, None], near, 0).sum(1)
        radii[start : start + ROWS_AT_ONCE] = (energy + reached) / (inside + 1)
    return radii


def pushes(own: Tensor, enemies: Tensor, distances: Floats, radii: NDArray[np.float64]) -> Floats:
    """(n, d) centres, (m, d) enemies, their (n, m) distances, (n,) radii -> (m, d) shifts.

    sum_i (r_i - d_ij) / d_ij (x_j - x_i) over the spheres that hold x_j, from where all are before.
    """
    inside = (distances < radii[:, None]) & (distances > 0)
    held = inside.any(0)
    shifts = np.zeros(tuple(enemies.shape), np.float32)
    if not held.any():
        return shifts
    near = np.where(inside, distances, np.inf)[:, held].astype(np.float64)
    factors = torch.from_numpy(np.where(np.isinf(near), 0, radii[:, None] / near - 1)).to(
        own.device
    )
    there = enemies.cpu().to(torch.float64)[torch.from_numpy(held)]
    pushed = factors.sum(0)[:, None] * there - factors.T @ own.cpu().to(torch.float64)
    shifts[held] = pushed.numpy()
    return shifts


def in_ball(uniforms: Uniforms, radii: NDArray[np.float64]) -> Floats:
    """(m, d + 1) numbers in [0, 1), (m,) radii -> (m, d) points uniform in L1 balls around 0.

    v = r g / (sum |g_k| + e), g of Laplace and e of exponential distribution (Barthe et al., 2005).
    """
    signed = 2 * (uniforms[:, 1:] + _HALF_STEP) - 1
    g = -np.sign(signed) * np.log1p(-np.abs(signed))
    total = np.abs(g).sum(1) - np.log1p(-uniforms[:, 0])
    return (radii[:, None] * g / total[:, None]).astype(np.float32)
