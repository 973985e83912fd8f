"""How a `Flow` is trained: images are drawn, changed, noised, and told how they were changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from imbsynth.configs import TrainGeneratorConfig
from imbsynth.core.batches import Indices
from imbsynth.core.flows import root_chances
from imbsynth.core.non_leaky import Changes, changed, described, draw_changes
from imbsynth.core.optimisers import adam
from imbsynth.core.pixels import fetched_ahead
from imbsynth.engine.inference.flow import Flow
from imbsynth.engine.inference.generator import TrainedGenerator
from imbsynth.engine.reading import Labelled
from imbsynth.engine.training.average import Average
from imbsynth.engine.training.generator import GeneratorTask, Noise
from imbsynth.engine.training.history import is_number
from imbsynth.engine.training.memory import Step
from imbsynth.engine.training.novelty import HeldOut
from imbsynth.engine.training.optimisation import Optimisation
from imbsynth.engine.training.states import Place, Stateful
from imbsynth.engine.training.task import History
from imbsynth.models.generators import GeneratorShape
from imbsynth.runtime import arithmetic, stream

NO_CLASS = 0.1  # share of images that are shown without their class, for guidance
DECAY = 0.999  # of the average of the weights
LOOKS = 2  # in a row with too little novelty end a run
NOVELTY = "novelty"  # in the log


class FlowBatch(NamedTuple):
    """What is drawn for a step: images, and all that happens to them."""

    chosen: Indices
    labels: Indices  # with the label of no class in place of some
    changes: Changes
    noise: Noise  # (n, c, h, w)
    times: Noise  # (n,) in [0, 1)

    def some(self, rows: slice) -> FlowBatch:
        """What is drawn for some of the images."""
        chosen, labels, changes, noise, times = self
        return FlowBatch(chosen[rows], labels[rows], changes.some(rows), noise[rows], times[rows])


class FlowTask(GeneratorTask[FlowBatch]):
    """The training of a `Flow`. What it generates, and what is kept, is of averaged weights."""

    model: Flow

    def prepare(self, images: Labelled) -> None:
        """Hold some images out; an epoch is as long as if every other one was shown once."""
        self.epochs, self.last_losses = self.config.epochs, self.losses
        self.held = HeldOut(images, self.pixels, self.config.seed)
        self.trained_on = self.held.trained_on
        self.chances = root_chances(self.labels[self.trained_on])
        self.images = len(self.trained_on)
        self.steps = -(-self.images // self.config.batch_size)
        self.average = Average(self.model, DECAY)

    @staticmethod
    def memory_step(config: TrainGeneratorConfig, shape: GeneratorShape) -> Step:
        """One pass of the U-Net."""
        return Step(lambda: Flow(shape), shape[:3], config.batch_size)

    def optimisation(self) -> Optimisation:
        """Adam at a constant learning rate, which the average of the weights makes up for."""
        lr = self.config.lr or self.model.lr
        return Optimisation(
            self.model.parameters(), lambda weights: adam(weights, lr=lr), lr, world=self.world
        )

    def parts(self) -> dict[str, Stateful]:
        """The average of the weights."""
        return {"average": self.average}

    def batches(self, place: Place) -> Iterator[FlowBatch]:
        """As many images as there are, drawn by `root_chances`."""
        drawn = (
            self._drawn(stream(self.config.seed, "train-generator", place.epoch, step))
            for step in range(place.step, self.steps)
        )
        yield from fetched_ahead(self.pixels, drawn, lambda batch: batch.chosen)

    def _drawn(self, rng: np.random.Generator) -> FlowBatch:
        count = min(self.config.batch_size, self.images)
        chosen = rng.choice(self.trained_on, count, p=self.chances)
        return FlowBatch(
            chosen,
            np.where(rng.random(count) < NO_CLASS, self.model.none, self.labels[chosen]),
            draw_changes(count, rng, flip=self.config.flip),
            rng.standard_normal((count, *self.shape[:3]), np.float32),
            rng.random(count, np.float32),
        )

    def compute(self, batch: FlowBatch, _place: Place) -> tuple[Tensor, Tensor]:
        """The own part of `flow_loss`, which is a mean over the images."""
        count, mine = len(batch.chosen), self.world.share(len(batch.chosen))
        part = (mine.stop - mine.start) / count
        # Without an image of its own, a process computes one that does not count.
        own = batch.some(mine if part else slice(1))
        images = changed(self._images(own.chosen), own.changes)
        with arithmetic(self.device, self.precision):
            loss = part * self.model.loss(
                images,
                self._on(own.labels),
                self._on(described(own.changes)),
                self._on(own.noise),
                self._on(own.times),
            )
        return loss, loss[None]

    def end_step(self, place: Place) -> None:
        """Take the weights into their average."""
        self.average.update(place)

    @contextmanager
    def shown(self) -> Iterator[TrainedGenerator]:
        """With the averaged weights."""
        with self.average.shown(), super().shown() as trained:
            yield trained

    def observe(self, made: list[Tensor], line: dict[str, Any]) -> None:
        """Log novelty: the median over the classes that have it, which may end the run."""
        median = self.world.told(lambda: self._median_novelty(made))
        if median is not None:
            line[NOVELTY] = median

    def _median_novelty(self, made: list[Tensor]) -> float | None:
        found = [self.novelty_of(label, images) for label, images in enumerate(made)]
        known = [value for value in found if value is not None]
        return float(np.median(known)) if known else None

    def is_over(self, history: History) -> bool:
        """Whether synthetic images are nearer to training images than new real ones, twice."""
        looks = [line[NOVELTY] for line in history if NOVELTY in line][-LOOKS:]
        return len(looks) == LOOKS and max(looks) < self.config.min_novelty

    def problem_of(self, history: History) -> str | None:
        """Novelty must be a number."""
        if all(is_number(line.get(NOVELTY, 0)) for line in history):
            return None
        return f"its {NOVELTY} is not a number"

    def novelty_of(self, label: int, made: Tensor) -> float | None:
        """By the images that were held out of the class."""
        return self.held.novelty(label, made)

    def held_out(self) -> Indices:
        """Some of each class that has enough."""
        return self.held.held_out

    def conclude(self) -> None:
        """The average is what is kept."""
        self.model.load_state_dict(self.average.average)
