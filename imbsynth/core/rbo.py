"""Random walks to where classes balance each other: MC-RBO."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbsynth.core.enemies import (
    AgainstLarger,
    Floats,
    city_block,
    draw_enemies,
    falling,
    in_parts,
    larger_classes,
)
from imbsynth.core.row_streams import Rows, RowStream
from imbsynth.core.samplers import Draw, Population, Rngs, in_turn

MAX_STEPS = 500  # of a walk, as in the authors' script
WALKS_AT_ONCE = 24  # whose distances stay in a processor's cache

Steps = NDArray[np.int32]  # 2 j for a step up of coordinate j, 2 j + 1 for one down


class Rbo(AgainstLarger):
    """MC-RBO of Krawczyk, Koziarski and Wozniak (2019), class after class by falling size.

    phi(x) = sum_enemies e^(-(|x - y|_1 / gamma)^2) - sum_own e^(-(|x - y|_1 / gamma)^2). From an
    image of the class a walk moves one coordinate by a step up or down, at random, and keeps the
    move if it lowers |phi|. It stops before each step with the probability `walk_stop`, and after
    500 steps. Enemies are drawn from the larger classes with their synthetic points.

    Departures. `gamma` and `walk_step` are multiples of the median L1 distance between an image of
    the class and the points of phi: the paper's values are for a few scaled features, and among
    pixels phi would be constant. Every image is the start equally often, where the paper draws it.
    A class without a larger one, for which the paper makes nothing, has images of all others for
    enemies.
    """

    def __init__(
        self,
        population: Population,
        rngs: Rngs,
        *,
        gamma: float,
        walk_step: float,
        walk_stop: float,
    ) -> None:
        super().__init__(population, rngs)
        self.gamma, self.walk_step, self.walk_stop = gamma, walk_step, walk_stop
        self.orders, self.choices = ([RowStream(rng) for rng in rngs] for _ in range(2))
        self._chosen = [draw_enemies(self.sizes, k, rng) for k, rng in enumerate(rngs)]
        self._walks: list[dict[int, Steps]] = [{} for _ in rngs]  # by row, of each class
        self._steps: dict[int, float] = {}  # what a move changes a coordinate by, of a class
        self._latest: tuple[int, Field] | None = None

    def draw(self, label: int) -> Draw:
        """The draw of a class, after those of the larger ones."""
        larger = larger_classes(self.sizes, label)
        for k in falling(self.sizes):
            if k in larger:
                self._walk(k, np.arange(max(self.sizes) - self.sizes[k]))
        return partial(self.plan, label)

    def moved(self) -> dict[int, float]:
        """Nothing is."""
        return {}

    def offsets(self, label: int, rows: Rows) -> tuple[NDArray[np.int64], Floats]:
        """(m,) images, every one equally often, and (m, d) sums of steps."""
        self._walk(label, rows)
        counts = np.zeros((len(rows), int(np.prod(self.shape))), np.int16)
        for row, own in zip(rows.tolist(), counts, strict=True):
            moves = self._walks[label][row]
            np.add.at(own, moves >> 1, 1 - 2 * (moves & 1))
        offsets = counts * np.float32(self._steps.get(label, 0))
        return in_turn(self.orders[label], rows, self.sizes[label]), offsets

    def _walk(self, label: int, rows: Rows) -> None:
        """Walk those of the rows that have not been walked."""
        known = self._walks[label]
        new = np.array([row for row in rows.tolist() if row not in known], np.int64)
        for part in in_parts(new):
            self._walk_part(label, part)

    def _walk_part(self, label: int, rows: Rows) -> None:
        field = self._field(label)
        uniforms = self.choices[label].uniforms(rows, 1 + MAX_STEPS)
        lengths = walk_lengths(uniforms[:, 0], self.walk_stop if field.step else 1.0)
        starts = in_turn(self.orders[label], rows, self.sizes[label])
        moves = (uniforms[:, 1:] * (2 * len(field.columns))).astype(np.int32)
        order = np.argsort(-lengths, kind="stable")
        for part in np.split(order, range(WALKS_AT_ONCE, len(order), WALKS_AT_ONCE)):
            made = walk(field, starts[part], moves[part], lengths[part])
            self._walks[label].update(zip(rows[part].tolist(), made, strict=True))

    def _field(self, label: int) -> Field:
        """The potential of a class; the latest one is kept."""
        if self._latest is None or self._latest[0] != label:
            self._latest = None  # frees it before another one is made
            own, enemies = self.images(label), self.enemies(label, self._chosen[label])
            field = Field.of(own, enemies, self.gamma, self.walk_step)
            self._latest, self._steps[label] = (label, field), field.step
        return self._latest[1]


class Field(NamedTuple):
    """The potential of a class: n points, enemies first, and how far its images are from them."""

    columns: Floats  # (d, n)
    own: Floats  # (k, d)
    distances: Floats  # (k, n)
    gamma: float
    step: float  # 0 if there is no distance

    @classmethod
    def of(cls, own: Tensor, enemies: Tensor, gamma: float, step: float) -> Field:
        """gamma, step: in units of the median distance of an image to the other points."""
        points = torch.cat([enemies, own])
        distances = city_block(own, points)
        others = distances[~np.eye(len(own), len(points), len(enemies), dtype=bool)]
        usual = float(np.median(others)) if len(others) else 0.0
        columns = np.ascontiguousarray(points.T.float().cpu().numpy())
        return cls(columns, own.float().cpu().numpy(), distances, gamma * usual, step * usual)

    def potential(self, distances: Floats) -> Floats:
        """(m, n) distances -> (m,) phi; what a row gives does not depend on the others."""
        enemies = self.columns.shape[1] - len(self.own)
        heights = distances / np.float32(self.gamma)
        np.square(heights, out=heights)  # in place: half the time goes to memory
        np.negative(heights, out=heights)
        np.exp(heights, out=heights)
        return heights[:, :enemies].sum(1) - heights[:, enemies:].sum(1)


def walk_lengths(uniforms: NDArray[np.float64], stop: float) -> NDArray[np.int64]:
    """(m,) numbers in [0, 1) -> how many steps are made before one is not, at most MAX_STEPS."""
    if stop in (0, 1):
        return np.full(len(uniforms), MAX_STEPS * int(1 - stop))
    lengths = np.log1p(-uniforms) / np.log1p(-stop)
    return np.minimum(lengths, MAX_STEPS).astype(np.int64)


def walk(
    field: Field, starts: NDArray[np.int64], moves: Steps, lengths: NDArray[np.int64]
) -> list[Steps]:
    """The moves that lower |phi|, of walks side by side.

    starts: (m,) among the class's images; moves: (m, t) to try; lengths: (m,), falling. A move
    changes one coordinate, so the distances change by that coordinate's alone: n values a step.
    """
    if not lengths.any():
        return [own[:0] for own in moves]
    points, distances = field.own[starts], field.distances[starts]
    heights = np.abs(field.potential(distances))
    kept = np.zeros(moves.shape, bool)
    for t in range(int(lengths[0])):
        going = np.arange((lengths > t).sum())
        coordinate, down = moves[going, t] >> 1, moves[going, t] & 1
        now = points[going, coordinate]
        then = now + (1 - 2 * down).astype(np.float32) * np.float32(field.step)
        there = field.columns[coordinate]
        tried = np.abs(there - then[:, None])
        tried -= np.abs(there - now[:, None])
        tried += distances[going]
        height = np.abs(field.potential(tried))
        lower = height < heights[going]
        better = going[lower]
        points[better, coordinate[lower]] = then[lower]
        distances[better], heights[better] = tried[lower], height[lower]
        kept[better, t] = True
    return [own[chosen] for own, chosen in zip(moves, kept, strict=True)]
