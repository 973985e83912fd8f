"""`aos-train`: a classifier with Adversarial OverSampling, or with what it is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from imbsynth.configs import DEFAULT_VAL_FRACTION, AosTrainConfig, Size
from imbsynth.core.batches import Indices
from imbsynth.engine.events import Note, OnEvent, silent
from imbsynth.engine.inference.autoencoder import TrainedAutoencoder, load_autoencoder
from imbsynth.engine.inference.classifier import (
    KIND,
    PRETRAINED,
    Seen,
    classifier_checkpoint,
    usual_side,
)
from imbsynth.engine.inference.fits import FIT
from imbsynth.engine.inference.pretrained import Backbone, load_backbone
from imbsynth.engine.manifest import RECONSTRUCT, Made, made_of
from imbsynth.engine.previews import Fits
from imbsynth.engine.reading import Labelled
from imbsynth.engine.sources.spaces import PixelSpace, Space, latent_space
from imbsynth.engine.training import validation
from imbsynth.engine.training.classifier import ClassifierTask, Material
from imbsynth.engine.training.classifier_run import classifier_trainer, may_change
from imbsynth.engine.training.command import TrainingCommand, TrainingOutput
from imbsynth.engine.training.curves import draw_curves
from imbsynth.engine.training.dependence import dependence, tell_of_encoded
from imbsynth.engine.training.feasible import check_feasible, check_fits
from imbsynth.engine.training.fitting import fit_decisions
from imbsynth.engine.training.head import check_has_head, choose_head
from imbsynth.engine.training.history import images_per_second, read_history
from imbsynth.engine.training.holding_out import hold_out, read_validation
from imbsynth.engine.training.keeper import kept_of
from imbsynth.engine.training.sets import Members
from imbsynth.engine.training.telling import tell_of_balance, tell_of_chance
from imbsynth.engine.training.trainer import Trainer
from imbsynth.engine.training.validation import Validation
from imbsynth.models.autoencoder import Autoencoder
from imbsynth.store.checkpoint_headers import kept_scores, read_header
from imbsynth.store.folders import digest_of, read_regular
from imbsynth.store.outputs import check_apart
from imbsynth.store.training_files import GROUPS, TrainingFiles


@dataclass(frozen=True)
class Report:
    """What `aos-train` prints."""

    checkpoint: str
    epochs: int
    best_epoch: int  # the one that was kept, counted from 1
    val: dict[str, float]  # f1_macro, acsa and g_mean of what is kept, on the validation images
    seconds_per_epoch: float  # with the drawing of moved images, without validation
    images_per_second: float
    log: str
    curves: str


class Data(NamedTuple):
    """The images of a run, split into those that train and those that choose the epoch."""

    images: Labelled
    members: Members  # the training images of each class
    val: Labelled | None  # None: the validation images are among `images`
    held_out: Indices  # which those are
    synthetic: NDArray[np.bool_]  # (n,) which of the images are not real
    seen: Seen  # what the classifier will depend on

    @property
    def counts(self) -> dict[str, int]:
        """Real training images by class, in class order."""
        return {name: int((~self.synthetic[own]).sum()) for name, own in self.members.items()}

    def validation(self, device: torch.device) -> Validation:
        """The validation images, on the device if they fit."""
        val = self.images.rows(self.held_out) if self.val is None else self.val
        return Validation(val.on(device), val.labels)


def run(config: AosTrainConfig, *, on_event: OnEvent = silent) -> Report:
    """Train a classifier, keep its best epoch, and write its checkpoint, log and curves."""
    if config.val is not None:
        check_apart(config.src, config.val)
    return AosTrain(config).carry_out(on_event, partial(_report, config))


class AosTrain(TrainingCommand[AosTrainConfig, Data, ClassifierTask]):
    """The steps of `aos-train`."""

    name, libraries = KIND, ("numpy", "pillow", "torch", "torchvision")
    backbone: Backbone | None = None  # from `read` on

    @cached_property
    def autoencoder(self) -> Autoencoder | None:
        """The one in whose latent space samplers work; None: they work on pixels."""
        return None if self.config.ae is None else load_autoencoder(self.config.ae)

    def may_change(self) -> frozenset[str]:
        """The number of epochs, where no step depends on it."""
        return may_change(self.config)

    def folders(self) -> tuple[Path, ...]:
        """The images, and those for validation if they are in a folder of their own."""
        return tuple(filter(None, (self.config.src, self.config.val)))

    def reads_twice(self) -> tuple[Path | None, ...]:
        """The autoencoder: its network, its images and its digest; and the list of groups."""
        return (self.config.ae, self.config.groups)

    @property
    def image_size(self) -> Size | None:
        """As asked for, or as the weights of the backbone need it."""
        if self.config.image_size is None and self.backbone is not None:
            return self.backbone.size
        return self.config.image_size

    def read(self, on_event: OnEvent) -> Data:
        """The images, some of them for validation; UserError if no classifier can be trained."""
        data = self._read(on_event)
        tell_of_balance(self.config, data.members, on_event)
        return data

    def _read(self, on_event: OnEvent) -> Data:
        config = self.config
        if config.pretrained is not None:
            self.backbone = load_backbone(config.model, config.pretrained, on_event)
        feasible = partial(check_feasible, config, self.autoencoder, self.backbone)
        fits = Fits(feasible, usual_side(config.model))
        images = self.read_src(on_event, fits)
        if self.autoencoder is not None:
            check_fits(self.autoencoder, images.pixels.shape[1:])
        if config.val is None:
            return _hold_out(config, images, on_event)
        members = dict(zip(images.classes, images.members(), strict=True))
        made = made_of(config.src)
        seen = dependence(config, images, members, made)
        val = read_validation(config.val, images, seen, config=config, on_event=on_event)
        seen = seen._replace(validated_on=val.identities())
        nothing = np.zeros(0, np.int64)
        return Data(images, members, val, nothing, _synthetic(images, made), seen)

    def images(self, data: Data) -> dict[str, Labelled]:
        """The images to train on, and the folder of those for validation, if there is one."""
        return {"src": data.images, **({} if data.val is None else {"val": data.val})}

    def inputs(self, data: Data) -> dict[str, str]:
        """The digests of the images, those for validation included, and of the other files."""
        found = super().inputs(data)
        for name, path in (("ae", self.config.ae), (GROUPS, self.config.groups)):
            if path is not None:
                found[name] = digest_of(read_regular(path))
        if self.backbone is not None:
            found["pretrained"] = self.backbone.digest
        return found

    def trainer(
        self, data: Data, device: torch.device, precision: str, on_event: OnEvent
    ) -> Trainer[ClassifierTask]:
        """The run, at its start."""
        members = list(data.members.values())
        space = PixelSpace(data.images, members, device, self.config.batch_size)
        drawn_in: Space = space
        if self.autoencoder is not None:
            autoencoder = TrainedAutoencoder(self.autoencoder, device, precision)
            drawn_in = latent_space(
                autoencoder,
                data.images,
                members,
                decode=self.config.decode,
                min_change=self.config.min_change,
            )
        val = data.validation(device)
        material = Material(data.members, space, val, drawn_in, data.synthetic, self.backbone)
        run = classifier_trainer(self.config, material, precision, on_event)
        if self.config.head_epochs:
            check_has_head(run.task.model)
        return run

    def result(
        self,
        trainer: Trainer[ClassifierTask],
        data: Data,
        made_by: dict[str, Any],
        on_event: OnEvent,
    ) -> TrainingOutput:
        """The classifier of the epoch that is kept, what is fitted to it, and the curves of all."""
        task, history = trainer.task, trainer.history
        kept = kept_of(history, self.config.keep)
        tell_of_chance(kept["acsa"], len(data.counts), on_event)
        meta: dict[str, Any] = {
            "made_by": made_by,
            "counts": list(data.counts.items()),  # JSON would sort a dict
            "epochs": len(history),
            "best_epoch": kept["epoch"],
            FIT: self.config.fit,
        }
        weights = task.keeper.kept
        if self.backbone is not None:
            meta[PRETRAINED] = self.backbone.meta()
        if self.config.head_epochs:
            choice = choose_head(task, on_event)
            weights = choice.weights
            meta |= choice.meta()
        fitted = fit_decisions(task, weights, data.counts, self.config.want_recall, on_event)
        meta |= fitted.meta()
        checkpoint = classifier_checkpoint(weights, task.model, data.seen, meta)
        write = partial(draw_curves, history=history, counts=data.counts, config=self.config)
        return TrainingOutput(write, checkpoint)


def _hold_out(config: AosTrainConfig, images: Labelled, on_event: OnEvent) -> Data:
    fraction = config.val_fraction or DEFAULT_VAL_FRACTION
    parts = hold_out(config.src, images, fraction, config.seed, grouping=config, on_event=on_event)
    if parts.left_out:
        on_event(
            Note(
                f"{parts.left_out} images are not used: they show images held out for validation "
                "(split first, generate from the training part, and validate on the other)"
            )
        )
    members = {
        name: parts.train[images.labels[parts.train] == label]
        for label, name in enumerate(images.classes)
    }
    made = made_of(config.src)
    seen = dependence(config, images, members, made)
    tell_of_encoded(images, parts.val, seen, on_event)
    seen = seen._replace(validated_on=images.identities(parts.val))
    return Data(images, members, None, parts.val, _synthetic(images, made), seen)


def _synthetic(images: Labelled, made: Mapping[str, Made]) -> NDArray[np.bool_]:
    """(n,): the images that are not real; a reconstruction stands for its original."""
    synthetic = {path for path, how in made.items() if how.method != RECONSTRUCT}
    return np.array([path in synthetic for path in images.paths], bool)


def _report(config: AosTrainConfig, files: TrainingFiles) -> Report:
    history = read_history(files.log, validation.NUMBERS)
    kept = kept_of(history, config.keep)
    return Report(
        checkpoint=files.checkpoint.as_posix(),
        epochs=len(history),
        best_epoch=kept["epoch"],
        val=kept_scores(files.checkpoint, read_header(files.checkpoint), kept, validation.SCORES),
        seconds_per_epoch=sum(line["seconds"] for line in history) / len(history),
        images_per_second=images_per_second(history),
        log=files.log.as_posix(),
        curves=files.sheet.as_posix(),
    )
