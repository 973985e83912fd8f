"""What the commands that train have in common, from the first look at their files to the last."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import torch

from imbsynth.configs import AosTrainConfig, Size, TrainAeConfig, TrainGeneratorConfig
from imbsynth.engine.events import Note, OnEvent, silent
from imbsynth.engine.previews import Fits
from imbsynth.engine.processes import check_same_images
from imbsynth.engine.reading import Labelled, read_labelled, record_of_left_out
from imbsynth.engine.training.loop import train
from imbsynth.engine.training.trainer import OneTask, Trainer
from imbsynth.runtime import World, joined, resolve_device, resolve_precision, resumable
from imbsynth.store.checkpoints import Checkpoint
from imbsynth.store.copies import unchanged
from imbsynth.store.images import ImageForm
from imbsynth.store.outputs import check_apart, check_outside
from imbsynth.store.records import provenance
from imbsynth.store.training_files import PROCESSES, TrainingFiles
from imbsynth.store.unwritten_files import UnwrittenFiles

Config = TypeVar("Config", TrainAeConfig, TrainGeneratorConfig, AosTrainConfig)
Data = TypeVar("Data")
Report = TypeVar("Report")


class TrainingOutput(NamedTuple):
    """What a run leaves beside its log."""

    write_sheet: Callable[[Path], None]
    checkpoint: Checkpoint


class TrainingCommand(ABC, Generic[Config, Data, OneTask]):
    """The steps in which the commands that train differ."""

    name: str  # of the command, and the kind of its checkpoint
    libraries: tuple[str, ...]  # whose versions are recorded

    def __init__(self, config: Config) -> None:
        self.config: Config = config

    @abstractmethod
    def may_change(self) -> frozenset[str]:
        """The options that say when a run ends, and do not change a step before that."""

    def folders(self) -> tuple[Path, ...]:
        """The folders of images that are read."""
        return (self.config.src,)

    def reads_twice(self) -> tuple[Path | None, ...]:
        """The files that `read` and `inputs` open more than once."""
        return ()

    @property
    def image_size(self) -> Size | None:
        """The size that images are brought to; None: the one that they have."""
        return self.config.image_size

    @abstractmethod
    def read(self, on_event: OnEvent) -> Data:
        """The images; UserError if they cannot be trained on."""

    @abstractmethod
    def images(self, data: Data) -> dict[str, Labelled]:
        """The folders of images that were read, by option."""

    def inputs(self, data: Data) -> dict[str, str]:
        """The digests of what was read, by option."""
        return {name: images.digest for name, images in self.images(data).items()}

    @abstractmethod
    def trainer(
        self, data: Data, device: torch.device, precision: str, on_event: OnEvent
    ) -> Trainer[OneTask]:
        """The run, at its start."""

    @abstractmethod
    def result(
        self, trainer: Trainer[OneTask], data: Data, made_by: dict[str, Any], on_event: OnEvent
    ) -> TrainingOutput:
        """What comes of the run when it is over."""

    def read_src(self, on_event: OnEvent, fits: Fits) -> Labelled:
        """The folder of images to train on."""
        skip = self.config.skip_unreadable
        return read_labelled(
            self.config.src,
            ImageForm(self.image_size, self.config.channels, self.config.fit, skip),
            on_event=on_event,
            fits=fits,
        )

    def carry_out(self, on_event: OnEvent, report: Callable[[TrainingFiles], Report]) -> Report:
        """Train, or resume, and write log, sheet and checkpoint; what `report` says of them.

        Several processes may do it together: all compute, and the first one writes and reports
        events. UserError if anything would be written into a folder of images.
        """
        config = self.config
        for folder in self.folders():
            check_apart(folder, config.out)
        check_outside(config.tensorboard, *self.folders())
        device = resolve_device(config.device)
        with joined(device) as world:
            kind = TrainingFiles if world.is_writer else UnwrittenFiles
            files = kind(config, self.may_change())
            with files.claimed(resume=config.resume, force=config.force):
                world.agree(False)  # all wait until the files are the writer's
                self._make(files, device, world, on_event if world.is_writer else silent)
            return world.told(lambda: report(files))

    def _make(
        self, files: TrainingFiles, device: torch.device, world: World, on_event: OnEvent
    ) -> None:
        """All of it, but for the claim on the files."""
        config = self.config
        precision = resolve_precision(config.precision, device)
        with unchanged(*self.reads_twice()):
            data = self.read(on_event)
            made_by = provenance(
                self.name,
                config,
                inputs=self.inputs(data),
                libraries=self.libraries,
                resolved={"device": device.type, "precision": precision},
            )
            made_by |= record_of_left_out(self.images(data))
        if world.size > 1:
            made_by[PROCESSES] = world.size
        check_same_images(made_by["inputs"], world)
        if config.resume and world.told(lambda: files.finished(made_by, self.name)):
            on_event(Note(f"{config.out} is complete: nothing to do"))
            return
        trainer = self.trainer(data, device, precision, on_event)
        files.check_room(trainer.state_bytes)
        train(trainer, files, made_by, on_event, resume=config.resume)
        with resumable():
            result = self.result(trainer, data, made_by, on_event)
            files.write_sheet(result.write_sheet)
            files.finish(result.checkpoint)
