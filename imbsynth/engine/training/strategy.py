"""How a classifier learns from a batch: augmentation, mixing and a loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from imbsynth.configs import AosTrainConfig
from imbsynth.core.augmentation import Augmentation
from imbsynth.core.losses import Loss
from imbsynth.core.mixing import Batch, Mixing
from imbsynth.core.tables import AUGMENTATIONS, LOSSES, MIXINGS
from imbsynth.engine.training.states import Place
from imbsynth.runtime import stream

# A number of images and a generator -> that many, of all classes equally often.
OfAllClasses = Callable[[int, np.random.Generator], Batch]


class Strategy(NamedTuple):
    """Functions that know nothing of each other; None does nothing."""

    loss: Loss
    augment: Augmentation | None
    mix: Mixing | None
    config: AosTrainConfig

    def changed(
        self, batch: Batch, counts: Tensor, of_all_classes: OfAllClasses, place: Place
    ) -> Batch:
        """A batch, augmented and mixed, with softened labels; the same at each place."""
        batch = self._augmented(batch, "augment", place)
        if self.mix is not None and self._is_mixed(place):
            partners = self._partners(batch, of_all_classes, place)
            batch = self.mix(batch, partners, counts, self._rng("mix", place))
        smoothing = self.config.label_smoothing
        if smoothing:
            # (1 - s) y + s / K (Szegedy et al., 2016, section 7).
            spread = smoothing / batch.targets.shape[1]
            batch = batch._replace(targets=(1 - smoothing) * batch.targets + spread)
        return batch

    def _is_mixed(self, place: Place) -> bool:
        share = self.config.mix_share
        return share == 1 or self._rng("is mixed", place).random() < share

    def _partners(self, batch: Batch, of_all_classes: OfAllClasses, place: Place) -> Batch:
        """What each image is mixed with: another of the batch, or one of a random class."""
        rng = self._rng("partners", place)
        if MIXINGS[self.config.mix].partners == "classes":
            drawn = of_all_classes(len(batch.images), rng)
            return self._augmented(drawn, "augment partners", place)
        order = torch.from_numpy(rng.permutation(len(batch.images))).to(batch.images.device)
        return Batch(batch.images[order], batch.targets[order])

    def _augmented(self, batch: Batch, purpose: str, place: Place) -> Batch:
        if self.augment is None:
            return batch
        return batch._replace(images=self.augment(batch.images, self._rng(purpose, place)))

    def _rng(self, purpose: str, place: Place) -> np.random.Generator:
        return stream(self.config.seed, "aos-train", purpose, place.epoch, place.step)


def strategy_of(config: AosTrainConfig) -> Strategy:
    """The functions that the options name."""
    return Strategy(
        LOSSES[config.loss].with_options(config),
        None if config.augment == "none" else AUGMENTATIONS[config.augment].with_options(config),
        None if config.mix == "none" else MIXINGS[config.mix].with_options(config),
        config,
    )
