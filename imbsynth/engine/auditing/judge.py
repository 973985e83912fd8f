"""The judge: a classifier of real images says which class synthetic images look like."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from imbsynth.configs import MAX_CLASSIFIED_SIDE, AosTrainConfig, AuditConfig, check_size
from imbsynth.core.batches import Indices
from imbsynth.core.pixels import as_rows, to_unit
from imbsynth.engine.auditing.images import NEITHER, Audited
from imbsynth.engine.events import Advanced, OnEvent, Started
from imbsynth.engine.previews import Preview
from imbsynth.engine.reading import Labelled
from imbsynth.engine.sources.spaces import PixelSpace
from imbsynth.engine.training.classifier import ClassifierTask, Material
from imbsynth.engine.training.classifier_run import classifier_step, classifier_trainer
from imbsynth.engine.training.memory import check_memory
from imbsynth.engine.training.sets import Members
from imbsynth.engine.training.trainer import Trainer
from imbsynth.engine.training.validation import Validation
from imbsynth.models.classifiers import Classifier, ImageShape
from imbsynth.runtime import resolve_device

IMAGES_PER_EPOCH = 10_000  # at most
AT_ONCE = 500


class Judged(NamedTuple):
    """What the judge of the other half says about an image; rows of neither half are 0."""

    named: Indices  # (n,) the class
    own: NDArray[np.float64]  # (n,) the probability of the image's own class
    features: torch.Tensor  # (n, d) float32, on the CPU


def check_judgeable(config: AuditConfig, preview: Preview) -> None:
    """Raise UserError unless a judge of such images can be trained in the memory that is free."""
    if preview.size is None:
        return
    check_size(preview.size, MAX_CLASSIFIED_SIDE, "a classifier")
    classes = max(len(preview.folder.files), 2)
    check_memory(
        classifier_step(_settings(), ImageShape(3, *preview.size), classes),
        sum(preview.folder.counts.values()),
        resolve_device(config.device),
        smaller_batches=False,
    )


def judge(
    config: AuditConfig, images: Audited, half: Indices, device: torch.device, on_event: OnEvent
) -> Judged:
    """Every image of a half, judged by a classifier that was trained on the other half's real ones.

    So no judge has seen an image that it judges, or one that it is made of. The classes need a
    real image in both halves.
    """
    learned = np.where(images.synthetic, NEITHER, half)
    judges = trained_judges(images.images, learned, config.epochs, config.seed, device, on_event)
    named = np.zeros(len(half), np.int64)
    own = np.zeros(len(half))
    features: torch.Tensor | None = None
    for side, model in enumerate(judges):
        for rows in torch.from_numpy(np.flatnonzero(half == 1 - side)).split(AT_ONCE):
            pixels = to_unit(as_rows(images.pixels)[rows].to(device))
            with torch.inference_mode():
                chances = model(pixels).softmax(1).cpu().numpy()
                seen = model.features(pixels).cpu()
            chosen = rows.numpy()
            named[chosen] = chances.argmax(1)
            own[chosen] = chances[np.arange(len(chosen)), images.labels[chosen]]
            if features is None:
                features = torch.zeros(len(half), seen.shape[1])
            features[rows] = seen
    if features is None:
        raise ValueError("both halves are empty")
    return Judged(named, own, features)


def trained_judges(
    images: Labelled,
    half: Indices,
    epochs: int,
    seed: int,
    device: torch.device,
    on_event: OnEvent,
) -> list[Classifier]:
    """For either half, a classifier of its real images, to judge what is made of the other's.

    half: (n,), 0 or 1, or NEITHER for images from which no judge learns. Each class needs one in
    both.
    """
    on_event(Started("training the judge", 2 * epochs, "epochs"))
    judges = []
    for side in (0, 1):
        members = {
            name: np.flatnonzero((half == side) & (images.labels == label))
            for label, name in enumerate(images.classes)
        }
        trainer = _judge_to_be(images, members, epochs, seed, device)
        while not trainer.over:
            for batch in trainer.batches():
                trainer.take_step(batch)
            trainer.end_epoch()
            on_event(Advanced(side * epochs + len(trainer.history)))
        judges.append(trainer.task.model.eval())
    return judges


def _judge_to_be(
    images: Labelled, members: Members, epochs: int, seed: int, device: torch.device
) -> Trainer[ClassifierTask]:
    """The small network of `aos-train`, its classes evened out by copies."""
    settings = replace(
        _settings(),
        epochs=epochs,
        images_per_epoch=min(
            IMAGES_PER_EPOCH, max(2, len(members) * max(map(len, members.values())))
        ),
        seed=seed,
    )
    space = PixelSpace(images, list(members.values()), device, AT_ONCE)
    # The last epoch is used: of the images that would choose one, one of each class does.
    some = np.array([own[0] for own in members.values()])
    val = Validation(torch.from_numpy(images.pixels[some]), images.labels[some])
    return classifier_trainer(settings, Material(members, space, val), "fp32")


def _settings() -> AosTrainConfig:
    return AosTrainConfig(src=Path("real"), out=Path("judge.safetensors"), oversample="ros")
