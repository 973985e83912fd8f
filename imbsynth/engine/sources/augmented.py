"""Augmented copies: each synthetic image is a real one, changed by an augmentation."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from imbsynth.configs import AUGMENT
from imbsynth.core.pixels import to_bytes, to_unit
from imbsynth.core.plans import Plan
from imbsynth.core.row_streams import Rows, RowStream
from imbsynth.core.samplers import in_turn
from imbsynth.core.tables import AUGMENTATIONS
from imbsynth.engine.reading import Labelled
from imbsynth.engine.sources.source import MethodRecord
from imbsynth.runtime import stream


class AugmentedCopies:
    """Copies of a class's images, every image equally often, each changed in its own way.

    The change of row i is drawn from a generator of its own and computed for one image at a time:
    it depends on the seed, the class and i alone. On the CPU.
    """

    def __init__(
        self, augment: str, images: Labelled, rows_at_once: int, *, options: Any, seed: int
    ) -> None:
        """augment: a name of `AUGMENTATIONS`; options: a config with a field for each of its."""
        self.rows_at_once = rows_at_once
        self.method_record = MethodRecord(AUGMENT, "pixel", augment=augment)
        self._augment = AUGMENTATIONS[augment].with_options(options)
        self._images, self._members, self._seed = images, images.members(), seed

    def plan(self, label: int, rows: Rows) -> Plan:
        """These rows of a class's plan: an image each."""
        members = self._members[label]
        base = members[in_turn(self._streams(label)[0], rows, len(members))]
        return Plan(rows, base[:, None], np.ones((len(rows), 1)))

    def images(self, label: int, plan: Plan) -> Tensor:
        """The (m, c, h, w) uint8 images of some rows."""
        changes = self._streams(label)[1]
        unit = to_unit(torch.from_numpy(self._images.pixels[plan.parents[:, 0]]))
        made = [
            self._augment(image[None], changes.generator(row))
            for image, row in zip(unit, plan.rows.tolist(), strict=True)
        ]
        return to_bytes(torch.cat(made))

    def _streams(self, label: int) -> tuple[RowStream, RowStream]:
        """Of the order of the images, and of their changes."""
        rng = stream(self._seed, "generate", AUGMENT, self._images.classes[label])
        return RowStream(rng), RowStream(rng)
