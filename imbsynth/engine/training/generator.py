"""What all trainings of generators have in common: the network, and what is seen of its images."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbsynth.configs import TrainGeneratorConfig
from imbsynth.core.diversity import mean_distance
from imbsynth.core.pixels import network_input, to_unit
from imbsynth.core.tables import GENERATORS
from imbsynth.engine.inference.generator import TrainedGenerator, build_generator
from imbsynth.engine.reading import Labelled
from imbsynth.engine.training.memory import Step
from imbsynth.engine.training.optimisation import Optimisation
from imbsynth.engine.training.task import Batch, History, Task
from imbsynth.engine.training.trainer import Trainer
from imbsynth.figures.sheets import SheetRow, write_sheet
from imbsynth.models.fast.convolutions import channels_last
from imbsynth.models.generators import Generator, GeneratorShape
from imbsynth.runtime import current_world, initialised, stream

ON_SHEET = 8  # images per class
LOOKED_AT, COMPARED = 16, 64  # synthetic images per class, on the way and in the end

Noise = NDArray[np.float32]
Run = Trainer["GeneratorTask[Any]"]


def generator_trainer(
    config: TrainGeneratorConfig, images: Labelled, device: torch.device, precision: str
) -> Run:
    """A run of `train-generator`, at its start."""
    task = task_of(config.kind)(config, images, device, precision)
    return Trainer(task, task.optimisation(), task.epochs, device)


def generator_step(config: TrainGeneratorConfig, shape: GeneratorShape) -> Step:
    """A step of such a run, for an estimate of its memory."""
    return task_of(config.kind).memory_step(config, shape)


def task_of(kind: str) -> type[GeneratorTask[Any]]:
    """How a kind of generator is trained."""
    task: type[GeneratorTask[Any]] = GENERATORS[kind].load_task()
    return task


class Look(NamedTuple):
    """What is seen of the images that a generator makes of a class."""

    # Mean distance of two synthetic images by that of two real ones; None where real images do not
    # differ.
    diversity: float | None
    # Median distance of a synthetic image to the nearest training image by that of real images that
    # were held out; None where none are.
    novelty: float | None


class GeneratorTask(Task[Batch]):
    """A `Generator` that learns from the images of a folder."""

    numbers = ()
    model: Generator
    epochs: int  # of all stages
    pretraining = 0  # epochs before any image is generated
    last_losses: tuple[str, ...]  # those of `losses` that the last stage has

    def __init__(
        self, config: TrainGeneratorConfig, images: Labelled, device: torch.device, precision: str
    ) -> None:
        self.config, self.device, self.precision = config, device, precision
        self.world = current_world()
        channels, height, width = images.pixels.shape[1:]
        counts = tuple(np.bincount(images.labels).tolist())
        self.shape = GeneratorShape(
            channels, height, width, config.latent_dim, counts, config.network
        )
        self.model = initialised(lambda: build_generator(config.kind, self.shape), config.seed)
        channels_last(self.model.to(device))
        self.losses = self.model.losses
        self.classes, self.members = images.classes, images.members()
        self.pixels, self.labels = images.on(device), images.labels
        self.last_made: list[Tensor] = []  # `ON_SHEET` of each class
        self.prepare(images)

    @abstractmethod
    def prepare(self, images: Labelled) -> None:
        """Set what differs from kind to kind: epochs, steps, and what is learned from."""

    @staticmethod
    @abstractmethod
    def memory_step(config: TrainGeneratorConfig, shape: GeneratorShape) -> Step:
        """A step of the training, for an estimate of its memory."""

    @abstractmethod
    def optimisation(self) -> Optimisation:
        """How the weights learn."""

    def conclude(self) -> None:
        """Give the network, once the run is over, the weights that are kept."""

    def held_out(self) -> NDArray[np.int64]:
        """The images that are not trained on."""
        return np.empty(0, np.int64)

    def end_epoch(self, history: list[dict[str, Any]]) -> None:
        """Look at images every few epochs, once there are any."""
        if self._is_look(history):
            self.observe(self.made(LOOKED_AT), history[-1])

    def observe(self, made: list[Tensor], line: dict[str, Any]) -> None:
        """Add to a line of the log what is seen of these images of each class."""

    def sheet(self, history: History) -> Callable[[Path], None] | None:
        """The images that `end_epoch` has looked at."""
        return self.draw if self._is_look(history) else None

    def draw(self, path: Path) -> None:
        """Real images on the left, on the right the last ones `made`, a row per class."""
        rows: list[SheetRow] = []
        for name, members, made in zip(self.classes, self.members, self.last_made, strict=True):
            real = self.pixels[torch.from_numpy(members[:ON_SHEET])].cpu().numpy()
            rows.append(SheetRow(name, [list(real), list(made.numpy())]))
        write_sheet(path, rows, ["real", "synthetic"])

    @contextmanager
    def shown(self) -> Iterator[TrainedGenerator]:
        """Within the block, the network generates images and does not learn."""
        yield TrainedGenerator(self.model, self.shape, self.device, self.precision)
        self.model.train()

    def made(self, count: int) -> list[Tensor]:
        """(count, c, h, w) uint8 images of each class.

        The same at every epoch, but for what the generator has learned; more begin with fewer.
        """
        total, own = len(self.classes) * count, [torch.empty(0, *self.shape[:3]).byte()]
        with self.shown() as trained:
            together = max(1, trained.images_at_once // count)  # classes
            mine = self.world.share(len(self.classes), together)
            for start in range(mine.start, mine.stop, together):
                some = range(start, min(start + together, mine.stop))
                noise = np.concatenate([self._noise_of(label, count) for label in some])
                of = torch.tensor(some).repeat_interleave(count)
                own.append(trained.images(torch.from_numpy(noise), of))
        found = list(self.world.whole(torch.cat(own), total, together * count).split(count))
        self.last_made = [made[:ON_SHEET].clone() for made in found]
        return found

    def look(self) -> dict[str, Look]:
        """What is seen of each class."""
        return {
            name: Look(self._diversity(label, made), self.novelty_of(label, made))
            for label, (name, made) in enumerate(
                zip(self.classes, self.made(COMPARED), strict=True)
            )
        }

    def novelty_of(self, _label: int, _made: Tensor) -> float | None:
        """`Look.novelty` of (m, c, h, w) uint8 images of a class."""
        return None

    def _is_look(self, history: History) -> bool:
        played = len(history) - self.pretraining
        return played > 0 and played % self.config.sheet_every == 0

    def _diversity(self, label: int, made: Tensor) -> float | None:
        rng = stream(self.config.seed, "train-generator", "compared", self.classes[label])
        some = np.sort(rng.permutation(self.members[label])[:COMPARED])
        real = to_unit(self.pixels[torch.from_numpy(some)].cpu())
        apart = mean_distance(real) if len(real) > 1 else 0.0
        return mean_distance(to_unit(made)) / apart if apart else None

    def _noise_of(self, label: int, count: int) -> Noise:
        rng = stream(self.config.seed, "train-generator", "sheet", self.classes[label])
        return rng.standard_normal((count, self.model.noise_dim), np.float32)

    def _images(self, indices: NDArray[np.int64]) -> Tensor:
        chosen = torch.from_numpy(indices).to(self.pixels.device)
        return network_input(self.pixels[chosen], self.device)

    def _on(self, values: NDArray[Any]) -> Tensor:
        return torch.from_numpy(values).to(self.device)
