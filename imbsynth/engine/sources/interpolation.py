"""Interpolation: a sampler draws in a space, its points become images."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from imbsynth.core.plans import Plan, combine
from imbsynth.core.row_streams import Rows
from imbsynth.core.samplers import Draw, Joint, Noted
from imbsynth.core.tables import SAMPLERS
from imbsynth.engine.events import Note, OnEvent, silent
from imbsynth.engine.sources.source import MethodRecord
from imbsynth.engine.sources.spaces import Space
from imbsynth.runtime import stream
from imbsynth.store.names import listing


class Interpolation:
    """A sampler by its name, in a space; each class has a random stream of its own."""

    def __init__(
        self,
        method: str,
        space: Space,
        classes: list[str],
        *,
        options: Any,
        seed: int,
        on_event: OnEvent = silent,
    ) -> None:
        """options: a config with a field for each of the sampler's options."""
        self.method, self.space, self.classes, self.seed = method, space, classes, seed
        self._sampler = SAMPLERS[method].with_options(options)
        self._on_event = on_event
        self._draws: dict[int, Draw] = {}

    @property
    def method_record(self) -> MethodRecord:
        """How its images come about."""
        return MethodRecord(self.method, self.space.name)

    @property
    def rows_at_once(self) -> int:
        """How many rows `images` computes at once."""
        return self.space.rows_at_once

    def plan(self, label: int, rows: Rows) -> Plan:
        """These rows of a class's plan."""
        if label not in self._draws:
            draw = self._draw(label)
            if isinstance(draw, Noted):
                self._on_event(Note(f"class {listing([self.classes[label]])}: {draw.note}"))
            self._draws[label] = draw
        return self._draws[label](rows)

    def moved(self) -> dict[int, float]:
        """How far images would be moved by the classes drawn so far, in L1, by their index."""
        return {} if self._joint is None else self._joint.moved()

    def _draw(self, label: int) -> Draw:
        if self._joint is not None:
            return self._joint.draw(label)
        found: Draw = self._sampler(self.space, label, self._generator(label))
        return found

    @cached_property
    def _joint(self) -> Joint | None:
        """The classes of a joint sampler."""
        if not SAMPLERS[self.method].joint:
            return None
        generators = [self._generator(label) for label in range(len(self.classes))]
        found: Joint = self._sampler(self.space, generators)
        return found

    def _generator(self, label: int) -> np.random.Generator:
        return stream(self.seed, "generate", self.method, self.classes[label])

    def images(self, label: int, plan: Plan) -> Tensor:
        """The (m, c, h, w) uint8 images of some rows, on the CPU."""
        parents = [self.space.points_of(column) for column in plan.parents.T]
        offsets = None if plan.offsets is None else torch.from_numpy(plan.offsets).to(parents[0])
        points = combine(parents, torch.from_numpy(plan.weights), offsets)
        return self.space.images(points, plan.parents[:, 0])
