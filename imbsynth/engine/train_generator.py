"""`train-generator`: train a network that makes images of a class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from imbsynth.configs import USUAL_SIDE, TrainGeneratorConfig, check_size
from imbsynth.engine.events import Note, OnEvent, silent
from imbsynth.engine.inference.fits import FIT
from imbsynth.engine.inference.generator import KIND, generator_checkpoint
from imbsynth.engine.manifest import refuse_synthetic
from imbsynth.engine.previews import Fits, Preview
from imbsynth.engine.reading import Labelled
from imbsynth.engine.training.command import TrainingCommand, TrainingOutput
from imbsynth.engine.training.generator import (
    GeneratorTask,
    Look,
    Run,
    generator_step,
    generator_trainer,
)
from imbsynth.engine.training.history import images_per_second, read_history
from imbsynth.engine.training.memory import check_memory
from imbsynth.errors import UserError
from imbsynth.models.generators import GeneratorShape
from imbsynth.runtime import resolve_device
from imbsynth.store.checkpoint_headers import read_header
from imbsynth.store.fields import Wrong, mapping
from imbsynth.store.names import listing
from imbsynth.store.training_files import TrainingFiles

COLLAPSED = 0.5  # a class is said to have collapsed below this diversity


@dataclass(frozen=True)
class Report:
    """What `train-generator` prints."""

    checkpoint: str
    kind: str
    epochs: int  # of both stages
    losses: dict[str, float]  # of the last epoch
    # By class: mean distance of two synthetic images by that of two real ones; None where real
    # images do not differ.
    diversity: dict[str, float | None]
    collapsed: list[str]  # classes whose diversity is below a half
    # By class: median distance of synthetic images to the nearest training image, by that of real
    # images that were held out; None where none are.
    novelty: dict[str, float | None]
    images_per_second: float  # real images over the training loop alone
    log: str
    sheet: str


def run(config: TrainGeneratorConfig, *, on_event: OnEvent = silent) -> Report:
    """Train a generator on a folder of images and write its checkpoint, log and sheet."""
    refuse_synthetic(config.src)
    return TrainGenerator(config).carry_out(on_event, partial(_report, config))


class TrainGenerator(TrainingCommand[TrainGeneratorConfig, Labelled, GeneratorTask[Any]]):
    """The steps of `train-generator`."""

    name, libraries = KIND, ("numpy", "pillow", "torch")

    def may_change(self) -> frozenset[str]:
        """When a run ends, and how often images are looked at, does not change a step."""
        return frozenset({"epochs", "sheet_every", "min_novelty"})

    def read(self, on_event: OnEvent) -> Labelled:
        """The images; UserError if no generator can be built for them."""
        fits = Fits(self._check, USUAL_SIDE)
        images = self.read_src(on_event, fits)
        check_size(images.pixels.shape[2:])
        return images

    def _check(self, preview: Preview) -> None:
        if len(preview.folder.counts) < 2:
            raise UserError(
                f"{self.config.src}: a single class: there is nothing to tell it from",
                "add a class",
            )
        if preview.size is None:
            return
        check_size(preview.size)
        counts = preview.folder.counts.values()
        config, channels = self.config, self.config.channels or 3
        shape = GeneratorShape(
            channels, *preview.size, config.latent_dim, tuple(counts), network=config.network
        )
        check_memory(generator_step(config, shape), sum(counts), resolve_device(config.device))

    def images(self, data: Labelled) -> dict[str, Labelled]:
        """The one folder."""
        return {"src": data}

    def trainer(
        self, data: Labelled, device: torch.device, precision: str, _on_event: OnEvent
    ) -> Run:
        """The run, at its start."""
        return generator_trainer(self.config, data, device, precision)

    def result(
        self, trainer: Run, data: Labelled, made_by: dict[str, Any], on_event: OnEvent
    ) -> TrainingOutput:
        """The generator, and images of each class."""
        task, history = trainer.task, trainer.history
        task.conclude()
        seen = task.look()
        for text in _notes(seen, len(history), trainer.epochs):
            on_event(Note(text))
        losses = {name: history[-1][name] for name in task.last_losses}
        meta = {
            "made_by": made_by,
            FIT: self.config.fit,
            "generator": self.config.kind,
            "counts": list(zip(data.classes, task.shape.counts, strict=True)),
            "epochs": len(history),
            "losses": losses,
            "diversity": {name: look.diversity for name, look in seen.items()},
            "novelty": {name: look.novelty for name, look in seen.items()},
            "held_out": [data.paths[row] for row in task.held_out()],
        }
        checkpoint = generator_checkpoint(task.model, task.shape, meta, data.identities())
        return TrainingOutput(task.draw, checkpoint)


def is_collapsed(diversity: float | None) -> bool:
    """Whether synthetic images of a class are nearly the same, compared with real ones."""
    return diversity is not None and diversity < COLLAPSED


def _notes(seen: dict[str, Look], epochs: int, at_most: int) -> Iterator[str]:
    """What is said when a run is over."""
    if epochs < at_most:
        yield (
            f"ended after {epochs} epochs: novelty was below --min-novelty twice in a row, "
            "so synthetic images come near to training images"
        )
    collapsed = {n: look.diversity for n, look in seen.items() if is_collapsed(look.diversity)}
    if collapsed:
        shown = listing([f"{name} ({value:.2f})" for name, value in collapsed.items()])
        yield (
            "collapsed: synthetic images of a class differ less than half as much as real ones, in "
            f"{shown}; look at the pictures: train for more epochs if they are blurred, for fewer "
            "if they are sharp, or use another kind"
        )


def _report(config: TrainGeneratorConfig, files: TrainingFiles) -> Report:
    header = read_header(files.checkpoint)
    try:
        names = ("losses", "diversity", "novelty")
        losses, diversity, novelty = (mapping(header, name) for name in names)
    except Wrong as error:
        raise UserError(
            f"{files.checkpoint}: {error}", f"the file was edited: make it again with {KIND}"
        ) from None
    history = read_history(files.log, tuple(losses))
    return Report(
        checkpoint=files.checkpoint.as_posix(),
        kind=config.kind,
        epochs=len(history),
        losses=losses,
        diversity=diversity,
        collapsed=[name for name, value in diversity.items() if is_collapsed(value)],
        novelty=novelty,
        images_per_second=images_per_second(history),
        log=files.log.as_posix(),
        sheet=files.sheet.as_posix(),
    )
