"""How a generator of images is trained: an autoencoder first, then the adversarial training."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbsynth.configs import TrainGeneratorConfig
from imbsynth.core.batches import Indices, draw_batches
from imbsynth.core.diversity import mean_distance
from imbsynth.core.optimisers import adam
from imbsynth.core.pixels import network_input, to_unit
from imbsynth.engine.inference.generator import TrainedGenerator, build_generator
from imbsynth.engine.reading import Labelled
from imbsynth.engine.training.optimisation import Optimisation
from imbsynth.engine.training.parts import Place
from imbsynth.engine.training.task import History, Task
from imbsynth.engine.training.trainer import Trainer
from imbsynth.figures.sheets import MAX_ROWS, SheetRow, write_sheet
from imbsynth.models.fast.convolutions import channels_last
from imbsynth.models.generators import Generator, Moves, Shape
from imbsynth.runtime import World, arithmetic, initialised, stream

PRETRAINING_LR = 1e-3  # of the autoencoder, which is plain regression
BETA = 0.5  # of Adam
ON_SHEET, COMPARED = 8, 64  # images per class on the sheet, and by which diversity is measured
AT_ONCE = 500  # images that are encoded together

Noise = NDArray[np.float32]
Run = Trainer["GeneratorTask"]


class Batch(NamedTuple):
    """What is drawn for a step: real images, and noise and classes of synthetic ones."""

    chosen: Indices
    shown: tuple[Noise, Indices]
    learned: tuple[Noise, Indices]


def generator_trainer(
    config: TrainGeneratorConfig, images: Labelled, device: torch.device, precision: str
) -> Run:
    """A run of `train-generator`, at its start."""
    task = GeneratorTask(config, images, device, precision)
    lr, epochs = config.lr or task.model.lr, task.pretraining + config.epochs
    # Half a step before the first stage ends, so that rounding does not move the end.
    first = (task.pretraining - 0.5 / task.steps) / epochs
    fast = {id(weight) for weight in task.model.fast()}
    optimisation = Optimisation(
        task.model.parameters(),
        lambda weights: adam(weights, lr=lr, beta=BETA),
        lr,
        lambda progress: PRETRAINING_LR / lr if progress < first else 1.0,
        speed=lambda weight: task.model.speed if id(weight) in fast else 1.0,
    )
    return Trainer(task, optimisation, epochs, device)


def shape_of(config: TrainGeneratorConfig, images: Labelled) -> Shape:
    """What a generator is built for."""
    channels, height, width = images.pixels.shape[1:]
    counts = tuple(np.bincount(images.labels).tolist())
    return Shape(channels, height, width, config.latent_dim, counts)


class GeneratorTask(Task[Batch]):
    """The two stages of a `Generator`."""

    numbers = ()
    model: Generator

    def __init__(
        self, config: TrainGeneratorConfig, images: Labelled, device: torch.device, precision: str
    ) -> None:
        self.config, self.device, self.precision = config, device, precision
        self.world = World()  # one process: see `check_alone`
        self.shape = shape_of(config, images)
        self.model = initialised(lambda: build_generator(config.kind, self.shape), config.seed)
        channels_last(self.model.to(device))
        self.losses = self.model.losses
        self.classes, self.members = images.classes, images.members()
        self.pixels, self.labels = images.on(device), images.labels
        self.images = len(self.pixels)
        self.steps = len(self._order(0))
        self.pretraining = 0 if self.model.autoencoder is None else config.pretrain_epochs
        if not self.pretraining:
            self._settle()

    def batches(self, place: Place) -> Iterator[Batch]:
        """Every image once, each time with noise and classes for synthetic ones."""
        rng = stream(self.config.seed, "train-generator", "noise", place.epoch)
        for step, chosen in enumerate(self._order(place.epoch)):
            shown = self._drawn(math.ceil(len(chosen) * self.model.shown_per_image), rng, True)
            learned = self._drawn(len(chosen), rng, False)
            if step >= place.step:
                yield Batch(chosen, shown, learned)

    def compute(self, batch: Batch, place: Place) -> tuple[Tensor, Tensor]:
        """The sum of the players' losses, each of which has a gradient for its own weights only."""
        images, labels = self._images(batch.chosen), self._on(self.labels[batch.chosen])
        with arithmetic(self.device, self.precision):
            if place.epoch < self.pretraining:
                losses = self.model.pretrain(images, labels)
            else:
                shown, learned = (
                    (self._on(noise), self._on(classes))
                    for noise, classes in (batch.shown, batch.learned)
                )
                losses = self.model.play(Moves(images, labels, shown, learned))
            found = torch.stack(list(losses))
        return found.sum(), found

    def end_epoch(self, history: list[dict[str, Any]]) -> None:
        """Keep the points of the training images when the autoencoder is trained."""
        if len(history) == self.pretraining:
            self._settle()

    def sheet(self, history: History) -> Callable[[Path], None] | None:
        """Every few epochs of the adversarial training."""
        played = len(history) - self.pretraining
        due = played > 0 and played % self.config.sheet_every == 0
        return self.draw if due else None

    def draw(self, path: Path) -> None:
        """Real images on the left, synthetic ones on the right, a row per class."""
        rows: list[SheetRow] = []
        trained = self.trained()
        for label, (name, members) in enumerate(zip(self.classes, self.members, strict=True)):
            if len(rows) >= MAX_ROWS:
                rows.append(SheetRow(name, []))  # counted, not shown
                continue
            real = self.pixels[torch.from_numpy(members[:ON_SHEET])].cpu().numpy()
            made = self.made(trained, label)[:ON_SHEET].numpy()
            rows.append(SheetRow(name, [list(real), list(made)]))
        write_sheet(path, rows, ["real", "synthetic"])
        self.model.train()

    def trained(self) -> TrainedGenerator:
        """The generator as it is now."""
        return TrainedGenerator(self.model, self.shape, self.device, self.precision)

    def made(self, trained: TrainedGenerator, label: int) -> Tensor:
        """The same `COMPARED` synthetic images of a class at every epoch, (m, c, h, w) uint8."""
        rng = stream(self.config.seed, "train-generator", "sheet", self.classes[label])
        noise = rng.standard_normal((COMPARED, self.model.noise_dim), np.float32)
        return trained.images(torch.from_numpy(noise), label)

    def diversity(self) -> dict[str, float | None]:
        """By class: mean distance of two synthetic images, by that of two real ones.

        None where real images do not differ from each other.
        """
        trained, found = self.trained(), {}
        for label, (name, members) in enumerate(zip(self.classes, self.members, strict=True)):
            rng = stream(self.config.seed, "train-generator", "compared", name)
            some = np.sort(rng.permutation(members)[:COMPARED])
            real = to_unit(self.pixels[torch.from_numpy(some)].cpu())
            apart = mean_distance(real) if len(real) > 1 else 0.0
            made = to_unit(self.made(trained, label))
            found[name] = mean_distance(made) / apart if apart else None
        return found

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

    def _images(self, indices: Indices) -> Tensor:
        chosen = torch.from_numpy(indices).to(self.pixels.device)
        return network_input(self.pixels[chosen], self.device)

    def _on(self, values: NDArray[Any]) -> Tensor:
        return torch.from_numpy(values).to(self.device)
