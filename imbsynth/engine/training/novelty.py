"""Images held out of a generator's training, to notice when it memorises images."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from imbsynth.core.batches import Indices
from imbsynth.core.novelty import median, nearest_distances
from imbsynth.core.pixels import PixelRows
from imbsynth.engine.reading import Labelled
from imbsynth.runtime import stream

ONE_IN, MOST = 10, 16  # a tenth of a class is held out, and no more than 16 images of it


class HeldOut:
    """Some images of each class, and how far they are from those that are trained on."""

    def __init__(self, images: Labelled, pixels: PixelRows, seed: int) -> None:
        """pixels: those of the images, on the device of the training."""
        self.pixels = pixels
        digests = images.pixel_digests.keys
        held = []
        for name, members in zip(images.classes, images.members(), strict=True):
            distinct = members[np.unique(digests[members], return_index=True)[1]]
            rng = stream(seed, "train-generator", "held out", name)
            held.append(np.sort(rng.permutation(distinct)[: min(len(distinct) // ONE_IN, MOST)]))
        self.by_class = held
        self.held_out: Indices = np.concatenate(held)
        # Copies of what is held out, in whatever class, are not trained on either.
        is_shown = np.isin(digests, digests[self.held_out])
        self.trained_on: Indices = np.flatnonzero(~is_shown)
        self.members = [
            self.trained_on[images.labels[self.trained_on] == label] for label in range(len(held))
        ]
        self.usual = [self._usual(label) for label in range(len(held))]

    def novelty(self, label: int, made: Tensor) -> float | None:
        """Median distance of (m, c, h, w) uint8 images of a class to the nearest training image.

        In units of the median distance of held-out images; None if the class has none.
        """
        usual = self.usual[label]
        return self._distance(label, made) / usual if usual else None

    def _usual(self, label: int) -> float | None:
        held = self.by_class[label]
        return self._distance(label, self._taken(held)) if len(held) else None

    def _distance(self, label: int, images: Tensor) -> float:
        real = self._taken(self.members[label])
        return median(nearest_distances(images.to(real.device), real))

    def _taken(self, rows: Indices) -> Tensor:
        return self.pixels[torch.from_numpy(rows).to(self.pixels.device)]
