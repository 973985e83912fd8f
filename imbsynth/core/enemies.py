"""Classes resampled from the largest to the smallest, each against the larger ones as they are by
then: the multi-class scheme of MC-CCR and MC-RBO."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbsynth.core.plans import Plan
from imbsynth.core.row_streams import Rows
from imbsynth.core.samplers import Population, Rngs

ROWS_AT_ONCE = 500  # points whose distances or random numbers are held at once

Places = NDArray[np.int64]  # in a class made as large as the largest: its images, then plan rows
Floats = NDArray[np.float32]


class AgainstLarger(ABC):
    """What is common to joint samplers of this scheme; a point is an image and an offset."""

    def __init__(self, population: Population, rngs: Rngs) -> None:
        self.population, self.rngs = population, rngs
        self.sizes = [len(own) for own in population.members]

    @abstractmethod
    def offsets(self, label: int, rows: Rows) -> tuple[NDArray[np.int64], Floats]:
        """(m,) which image of the class each row starts from, (m, d) how it differs from it."""

    def shifts(self, _label: int, places: Places) -> Floats:
        """(m, d) how far points of a class are moved after that, for the sake of others."""
        return np.zeros((len(places), int(np.prod(self.shape))), np.float32)

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Of a point."""
        return tuple(self.population.points_of(self.population.members[0][:1]).shape[1:])

    def plan(self, label: int, rows: Rows) -> Plan:
        """Rows of a class's plan."""
        members = self.population.members[label]
        origins, offsets = self.offsets(label, rows)
        offsets = (offsets + self.shifts(label, len(members) + rows)).reshape(-1, *self.shape)
        return Plan(rows, members[origins][:, None], np.ones((len(rows), 1)), offsets)

    def images(self, label: int, places: Places | None = None) -> Tensor:
        """(m, d) images of a class, as they are."""
        members = self.population.members[label]
        chosen = members if places is None else members[places]
        return self.population.points_of(chosen).flatten(1)

    def points(self, label: int, places: Places) -> Tensor:
        """(m, d) points of a class made as large as the largest, as they are by now.

        places: ascending.
        """
        n = self.sizes[label]
        rows = places[places >= n] - n
        origins, added = places[places < n], self.shifts(label, places)
        if len(rows):
            starts, offsets = self.offsets(label, rows)
            origins = np.concatenate([origins, starts])
            added[len(places) - len(rows) :] += offsets
        found = self.images(label, origins)
        return found + torch.from_numpy(added).to(found)

    def enemies(self, label: int, chosen: dict[int, Places]) -> Tensor:
        """(m, d) points that `draw_enemies` chose, in the form that they have by now."""
        known = self.points if larger_classes(self.sizes, label) else self.images
        parts = [known(k, places) for k, places in chosen.items()]
        return torch.cat(parts) if parts else self.images(label)[:0]


def falling(sizes: Sequence[int]) -> list[int]:
    """The classes by size, the largest first; equal ones in their order."""
    return sorted(range(len(sizes)), key=lambda k: -sizes[k])


def larger_classes(sizes: Sequence[int], label: int) -> list[int]:
    """The classes with more images than a class, the largest first."""
    return [k for k in falling(sizes) if sizes[k] > sizes[label]]


def draw_enemies(sizes: Sequence[int], label: int, rng: np.random.Generator) -> dict[int, Places]:
    """{class: places} of the points that a class is resampled against.

    As many of each larger class, together at most as many as the largest class has, drawn without
    replacement from the class in its new form: of the size of the largest. A class without a
    larger one, which the papers leave as it is, has images of all others for enemies.
    """
    largest = max(sizes)
    larger = larger_classes(sizes, label)
    if larger:
        share = max(1, largest // len(larger))
        return {k: np.sort(rng.permutation(largest)[:share]) for k in larger}
    others = [k for k in range(len(sizes)) if k != label]
    share = max(1, largest // max(1, len(others)))
    return {k: np.sort(rng.permutation(sizes[k])[:share]) for k in others}


def in_parts(rows: Rows) -> list[Rows]:
    """Rows in parts of at most ROWS_AT_ONCE; none for no rows."""
    return [rows[i : i + ROWS_AT_ONCE] for i in range(0, len(rows), ROWS_AT_ONCE)]


def city_block(rows: Tensor, columns: Tensor) -> Floats:
    """(n, ...), (m, ...) points -> (n, m) L1 distances, on whichever device the points are."""
    columns = columns.flatten(1)
    if not len(columns):
        return np.zeros((len(rows), 0), np.float32)
    blocks = rows.flatten(1).split(ROWS_AT_ONCE)
    return np.concatenate([torch.cdist(block, columns, p=1).cpu().numpy() for block in blocks])
