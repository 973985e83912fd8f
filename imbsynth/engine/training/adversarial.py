"""How an adversarial generator is trained: an autoencoder first, then all players at once."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbsynth.configs import TrainGeneratorConfig
from imbsynth.core.batches import Indices, draw_batches
from imbsynth.core.optimisers import adam
from imbsynth.core.pixels import fetched_ahead
from imbsynth.engine.reading import Labelled
from imbsynth.engine.training.generator import GeneratorTask, Noise
from imbsynth.engine.training.memory import Step
from imbsynth.engine.training.optimisation import Optimisation
from imbsynth.engine.training.shares import normalised_together
from imbsynth.engine.training.states import Place
from imbsynth.models.generators import Adversarial, GeneratorShape, SmallAutoencoder, Turn
from imbsynth.runtime import World, arithmetic, stream

PRETRAINING_LR = 1e-3  # of the autoencoder, which is plain regression
BETA = 0.5  # of Adam
AT_ONCE = 500  # images that are encoded together
PASSES = 4  # through networks as large as the autoencoder in a step


class AdversarialBatch(NamedTuple):
    """What is drawn for a step: real images, and noise and classes of synthetic ones."""

    chosen: Indices
    shown: tuple[Noise, Indices]
    learned: tuple[Noise, Indices]

    def some(self, world: World) -> AdversarialBatch:
        """The share of this process of each of the three."""
        mine, shown, learned = (world.share(size) for size in self.sizes.tolist())
        return AdversarialBatch(
            self.chosen[mine],
            (self.shown[0][shown], self.shown[1][shown]),
            (self.learned[0][learned], self.learned[1][learned]),
        )

    @property
    def sizes(self) -> NDArray[np.int64]:
        """The numbers of images: real, shown and learned from."""
        return np.array([len(self.chosen), len(self.shown[1]), len(self.learned[1])])


class AdversarialTask(GeneratorTask[AdversarialBatch]):
    """The two stages of an `Adversarial` generator."""

    model: Adversarial

    def prepare(self, _images: Labelled) -> None:
        """Two stages, or one where there is no autoencoder."""
        self.images = len(self.pixels)
        self.steps = len(self._order(0))
        self.last_losses = self.losses[1:]  # the first is that of the autoencoder
        self.pretraining = 0 if self.model.autoencoder is None else self.config.pretrain_epochs
        self.epochs = self.pretraining + self.config.epochs
        if not self.pretraining:
            self._settle()

    @staticmethod
    def memory_step(config: TrainGeneratorConfig, shape: GeneratorShape) -> Step:
        """All networks are about as large as the autoencoder."""
        return Step(lambda: SmallAutoencoder(shape), shape[:3], config.batch_size, passes=PASSES)

    def optimisation(self) -> Optimisation:
        """Adam, with another learning rate in each stage."""
        lr = self.config.lr or self.model.lr
        # Half a step before the first stage ends, so that rounding does not move the end.
        first = (self.pretraining - 0.5 / self.steps) / self.epochs
        fast = {id(weight) for weight in self.model.fast()}
        return Optimisation(
            self.model.parameters(),
            lambda weights: adam(weights, lr=lr, beta=BETA),
            lr,
            lambda progress: PRETRAINING_LR / lr if progress < first else 1.0,
            speed=lambda weight: self.model.speed if id(weight) in fast else 1.0,
            world=self.world,
        )

    def batches(self, place: Place) -> Iterator[AdversarialBatch]:
        """Every image once, each time with noise and classes for synthetic ones."""
        yield from fetched_ahead(self.pixels, self._left(place), lambda batch: batch.chosen)

    def _left(self, place: Place) -> Iterator[AdversarialBatch]:
        rng = stream(self.config.seed, "train-generator", "noise", place.epoch)
        for step, chosen in enumerate(self._order(place.epoch)):
            shown = self._drawn(math.ceil(len(chosen) * self.model.shown_per_image), rng, True)
            learned = self._drawn(len(chosen), rng, False)
            if step >= place.step:
                yield AdversarialBatch(chosen, shown, learned)

    def compute(self, batch: AdversarialBatch, place: Place) -> tuple[Tensor, Tensor]:
        """The sum of the players' losses, each of which has a gradient for its own weights only."""
        own, first = batch.some(self.world), place.epoch < self.pretraining
        images, labels = self._images(own.chosen), self._on(self.labels[own.chosen])
        with arithmetic(self.device, self.precision), normalised_together(self.world):
            if first:
                losses = self.model.pretrain(images, labels)
            else:
                shown, learned = (
                    (self._on(noise), self._on(classes))
                    for noise, classes in (own.shown, own.learned)
                )
                losses = self.model.play(Turn(images, labels, shown, learned))
            found = torch.stack(list(losses)) * self._on(self._parts(own.sizes, batch.sizes, first))
        return found.sum(), found

    def _parts(
        self, own: NDArray[np.int64], whole: NDArray[np.int64], first: bool
    ) -> NDArray[np.float32]:
        """What this process's losses contribute to the means over the batch: see `Adversarial`.

        own, whole: (3,) images of this process and of the batch. first: whether in the first stage.
        """
        real, both, last = own[0] / whole[0], own[:2].sum() / whole[:2].sum(), own[2] / whole[2]
        between = [both] * (len(self.losses) - 2)
        parts = [real] * len(self.losses) if first else [real, *between, last]
        return np.array(parts, np.float32)

    def end_epoch(self, history: list[dict[str, Any]]) -> None:
        """Keep the points of the training images when the autoencoder is trained."""
        super().end_epoch(history)
        if len(history) == self.pretraining:
            self._settle()

    @torch.no_grad()
    def _settle(self) -> None:
        autoencoder = self.model.autoencoder
        with arithmetic(self.device, self.precision):
            points = [
                self._images(part).flatten(1)
                if autoencoder is None
                else autoencoder.encode(self._images(part)).float()
                for part in np.split(np.arange(self.images), range(AT_ONCE, self.images, AT_ONCE))
            ]
        joined = torch.cat(points)
        self.model.settle([joined[torch.from_numpy(own)] for own in self.members])

    def _order(self, epoch: int) -> list[Indices]:
        rng = stream(self.config.seed, "train-generator", "order", epoch)
        return draw_batches(self.images, self.config.batch_size, rng)

    def _drawn(self, count: int, rng: np.random.Generator, shown: bool) -> tuple[Noise, Indices]:
        shares = self.model.shares if shown else None  # None: all classes equally often
        classes = rng.choice(len(self.classes), count, p=shares)
        return rng.standard_normal((count, self.model.noise_dim), np.float32), classes
