"""Interpolation: a sampler draws in a space, its points become images."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from imbsynth.core.plans import Plan, combine
from imbsynth.core.row_streams import Rows
from imbsynth.core.samplers import Draw
from imbsynth.core.tables import SAMPLERS
from imbsynth.engine.sources.source import Origin
from imbsynth.engine.sources.spaces import Space
from imbsynth.runtime import stream


class Interpolation:
    """A sampler by its name, in a space; each class has a random stream of its own."""

    def __init__(
        self, method: str, space: Space, classes: list[str], *, options: Any, seed: int
    ) -> None:
        """options: a config with a field for each of the sampler's options."""
        self.method, self.space, self.classes, self.seed = method, space, classes, seed
        self._sampler = SAMPLERS[method].with_options(options)
        self._draws: dict[int, Draw] = {}

    @property
    def origin(self) -> Origin:
        """How its images come about."""
        return Origin(self.method, self.space.name)

    @property
    def rows_at_once(self) -> int:
        """How many rows `images` computes at once."""
        return self.space.rows_at_once

    def plan(self, label: int, rows: Rows) -> Plan:
        """These rows of a class's plan."""
        if label not in self._draws:
            rng = stream(self.seed, "generate", self.method, self.classes[label])
            self._draws[label] = self._sampler(self.space, label, rng)
        return self._draws[label](rows)

    def images(self, label: int, plan: Plan) -> Tensor:
        """The (m, c, h, w) uint8 images of some rows, on the CPU."""
        parents = [self.space.points_of(column) for column in plan.parents.T]
        offsets = None if plan.offsets is None else torch.from_numpy(plan.offsets).to(parents[0])
        points = combine(parents, torch.from_numpy(plan.weights), offsets)
        return self.space.images(points, plan.parents[:, 0])
