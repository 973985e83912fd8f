"""Images of a conditional generator: noise and a class in, an image out."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from imbsynth.core.plans import Plan
from imbsynth.core.row_streams import Rows, RowStream
from imbsynth.engine.inference.generator import GeneratorCheckpoint, TrainedGenerator
from imbsynth.engine.sources.source import MethodRecord
from imbsynth.errors import UserError, option
from imbsynth.runtime import stream
from imbsynth.store.names import listing


class FromGenerator:
    """Images without parents: row i of a class is what the network makes of noise of its own."""

    def __init__(
        self,
        stored: GeneratorCheckpoint,
        trained: TrainedGenerator,
        classes: list[str],
        *,
        seed: int,
    ) -> None:
        """classes: those of the folder, all of which the generator knows."""
        self.rows_at_once = trained.images_at_once
        self.method_record = MethodRecord(stored.kind, model=stored.digest)
        self._trained, self._classes, self._seed = trained, classes, seed
        self._known = stored.classes

    def plan(self, label: int, rows: Rows) -> Plan:
        """These rows of a class's plan: noise."""
        rng = stream(self._seed, "generate", self.method_record.method, self._classes[label])
        noise = RowStream(rng).normals(rows, self._trained.model.noise_dim)
        none = np.empty((len(rows), 0))
        return Plan(rows, none.astype(np.int64), none, noise.astype(np.float32))

    def images(self, label: int, plan: Plan) -> Tensor:
        """The (m, c, h, w) uint8 images of some rows."""
        if plan.offsets is None:
            raise ValueError("a plan of another source")
        labels = torch.full((len(plan.rows),), self._known.index(self._classes[label]))
        return self._trained.images(torch.from_numpy(plan.offsets), labels)


def check_classes(stored: GeneratorCheckpoint, growing: list[str]) -> None:
    """Raise UserError if the generator has not learned a class that is to get images."""
    strange = [name for name in growing if name not in stored.classes]
    if strange:
        raise UserError(
            f"the generator has not learned class {listing(strange)}: it knows "
            f"{listing(stored.classes)}",
            f"train it on this folder, or name the classes to grow with {option('per_class')}",
        )
