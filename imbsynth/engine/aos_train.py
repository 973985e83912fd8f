"""`aos-train`: a classifier with Adversarial OverSampling, or with what it is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from imbsynth.configs import (
    DEFAULT_VAL_FRACTION,
    MAX_CLASSIFIED_SIDE,
    AosTrainConfig,
    check_size,
)
from imbsynth.engine.events import Note, OnEvent, silent
from imbsynth.engine.inference.classifier import KIND, classifier_checkpoint
from imbsynth.engine.manifest import RECONSTRUCT, made_of
from imbsynth.engine.reading import Labelled, read_labelled
from imbsynth.engine.sources.spaces import Pixels
from imbsynth.engine.training.classifier import (
    VAL_NUMBERS,
    VAL_SCORES,
    ClassifierTraining,
    Validation,
    best_of,
)
from imbsynth.engine.training.history import images_per_second, read_history
from imbsynth.engine.training.holding_out import hold_out, read_validation
from imbsynth.engine.training.loop import train
from imbsynth.engine.training.oversampling import Members
from imbsynth.errors import UserError
from imbsynth.figures.curves import write_curves
from imbsynth.runtime import resolve_device, resolve_precision
from imbsynth.store.outputs import check_apart
from imbsynth.store.records import provenance
from imbsynth.store.training_files import TrainingFiles


@dataclass(frozen=True)
class Report:
    """What `aos-train` prints."""

    checkpoint: str
    epochs: int
    best_epoch: int  # the one that was kept, counted from 1
    val: dict[str, float]  # f1_macro, acsa and g_mean of the best epoch on the validation images
    seconds_per_epoch: float  # with the drawing of moved images, without validation
    images_per_second: float
    log: str
    curves: str


class _Data(NamedTuple):
    """The images of a run, dealt out."""

    images: Labelled
    members: Members  # the training images of each class
    val: Labelled | None  # None: the validation images are among `images`
    held_out: np.ndarray[Any, np.dtype[np.int64]]  # which those are
    counts: dict[str, int]  # real training images by class, in class order

    def validation(self, device: torch.device) -> Validation:
        """The validation images, on the device if they fit."""
        if self.val is not None:
            return Validation(self.val.on(device), self.val.labels)
        pixels = torch.from_numpy(self.images.pixels[self.held_out])
        return Validation(pixels, self.images.labels[self.held_out])

    def digests(self) -> tuple[list[str], list[str]]:
        """The content digests of what is trained on and of what chooses the epoch."""
        own = self.images.digests
        trained_on = [own[i] for members in self.members.values() for i in members]
        validated_on = self.val.digests if self.val else [own[i] for i in self.held_out]
        return trained_on, validated_on


def run(config: AosTrainConfig, *, on_event: OnEvent = silent) -> Report:
    """Train a classifier, keep its best epoch, and write its checkpoint, log and curves."""
    check_apart(config.src, config.out)
    if config.val is not None:
        check_apart(config.src, config.val)
        check_apart(config.val, config.out)
    ends = frozenset({"epochs"} if config.schedule == "constant" else ())
    files = TrainingFiles(config, ends)
    with files.claimed(resume=config.resume, force=config.force):
        device = resolve_device(config.device)
        precision = resolve_precision(config.precision, device)
        data = _read(config, on_event)
        made_by = provenance(
            "aos-train",
            config,
            inputs={"src": data.images.digest} | ({"val": data.val.digest} if data.val else {}),
            libraries=("numpy", "pillow", "torch", "torchvision"),
            resolved={"device": device.type, "precision": precision},
        )
        if config.resume and files.finished(made_by, KIND):
            on_event(Note(f"{config.out} is complete: nothing to do"))
            return _report(files)

        space = Pixels(data.images, device, config.batch_size)
        val = data.validation(device)
        training = ClassifierTraining(config, data.members, space, val, precision)
        train(training, files, made_by, on_event)
        files.write_sheet(lambda path: _write_curves(path, training, data))
        files.finish(
            classifier_checkpoint(
                training.best, training.model, *data.digests(), _meta(training, data, made_by)
            )
        )
    return _report(files)


def _read(config: AosTrainConfig, on_event: OnEvent) -> _Data:
    images = read_labelled(
        config.src,
        size=config.image_size,
        channels=config.channels,
        skip_unreadable=config.skip_unreadable,
        on_event=on_event,
    )
    if len(images.classes) < 2:
        raise UserError(
            f"{config.src}: one class, {images.classes[0]}: there is nothing to tell apart",
            "give a folder with two classes or more",
        )
    check_size(images.pixels.shape[2:], MAX_CLASSIFIED_SIDE, "a classifier")
    if config.val is not None:
        val = read_validation(
            config.val, images, skip_unreadable=config.skip_unreadable, on_event=on_event
        )
        members = dict(zip(images.classes, images.members(), strict=True))
        held_out = np.zeros(0, np.int64)
        return _Data(images, members, val, held_out, _real_counts(config.src, images, members))
    return _hold_out(config, images, on_event)


def _hold_out(config: AosTrainConfig, images: Labelled, on_event: OnEvent) -> _Data:
    fraction = config.val_fraction or DEFAULT_VAL_FRACTION
    parts = hold_out(config.src, images, fraction, config.seed)
    if parts.left_out:
        on_event(
            Note(
                f"{parts.left_out} images are not used: they show images held out for validation "
                "(split first, generate from the training part, and give the other with --val)"
            )
        )
    members = {
        name: parts.train[images.labels[parts.train] == label]
        for label, name in enumerate(images.classes)
    }
    return _Data(images, members, None, parts.val, _real_counts(config.src, images, members))


def _meta(training: ClassifierTraining, data: _Data, made_by: dict[str, Any]) -> dict[str, Any]:
    return {
        "made_by": made_by,
        "counts": list(data.counts.items()),  # JSON would sort a dict
        "epochs": len(training.history),
        "best_epoch": training.best_epoch,
    }


def _real_counts(src: Path, images: Labelled, members: Members) -> dict[str, int]:
    """Real training images by class; a reconstruction stands for its original."""
    synthetic = {path for path, made in made_of(src).items() if made.method != RECONSTRUCT}
    return {
        name: sum(images.paths[i] not in synthetic for i in chosen)
        for name, chosen in members.items()
    }


def _write_curves(path: Path, training: ClassifierTraining, data: _Data) -> None:
    history = training.history
    counts = list(data.counts.items())
    order = sorted(range(len(counts)), key=lambda k: -counts[k][1])
    write_curves(
        path,
        {
            "cross-entropy": {
                "training": [line["loss"] for line in history],
                "validation, classes alike": [line["val_loss"] for line in history],
            },
            "validation scores": {name: [line[name] for line in history] for name in VAL_SCORES},
        },
        np.array([line["recalls"] for line in history])[:, order],
        [f"{counts[k][0]} ({counts[k][1]})" for k in order],
        training.best_epoch,
    )


def _report(files: TrainingFiles) -> Report:
    history = read_history(files.log, VAL_NUMBERS)
    best = best_of(history)
    return Report(
        checkpoint=files.checkpoint.as_posix(),
        epochs=len(history),
        best_epoch=best["epoch"],
        val={name: best[name] for name in VAL_SCORES},
        seconds_per_epoch=sum(line["seconds"] for line in history) / len(history),
        images_per_second=images_per_second(history),
        log=files.log.as_posix(),
        curves=files.sheet.as_posix(),
    )
