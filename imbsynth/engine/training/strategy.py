"""How a classifier learns from a batch: augmentation, mixing and a loss."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from torch import Tensor

from imbsynth.configs import AosTrainConfig
from imbsynth.core.augmentation import Augmentation
from imbsynth.core.losses import Loss
from imbsynth.core.mixing import Mixing
from imbsynth.core.tables import AUGMENTATIONS, LOSSES, MIXINGS
from imbsynth.engine.training.parts import Place
from imbsynth.runtime import stream


class Strategy(NamedTuple):
    """Functions that know nothing of each other; None does nothing."""

    loss: Loss
    augment: Augmentation | None
    mix: Mixing | None
    seed: int

    def changed(self, images: Tensor, targets: Tensor, place: Place) -> tuple[Tensor, Tensor]:
        """(n, c, h, w) images and (n, k) targets, augmented and mixed; the same at each place."""
        if self.augment is not None:
            images = self.augment(images, self._rng("augment", place))
        if self.mix is not None:
            images, targets = self.mix(images, targets, self._rng("mix", place))
        return images, targets

    def _rng(self, purpose: str, place: Place) -> np.random.Generator:
        return stream(self.seed, "aos-train", purpose, place.epoch, place.step)


def strategy_of(config: AosTrainConfig) -> Strategy:
    """The functions that the options name."""
    return Strategy(
        LOSSES[config.loss].with_options(config),
        None if config.augment == "none" else AUGMENTATIONS[config.augment].with_options(config),
        None if config.mix == "none" else MIXINGS[config.mix].with_options(config),
        config.seed,
    )
