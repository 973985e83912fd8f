"""How a classifier is trained: what it learns from, and what a step does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from math import ceil
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbsynth.configs import AosTrainConfig
from imbsynth.core.attacks import Attack
from imbsynth.core.batches import ByClass, Indices, draw_batches
from imbsynth.core.mixing import Batch
from imbsynth.core.pixels import fetched_ahead, part_of
from imbsynth.core.tables import ATTACKS, LOSSES
from imbsynth.engine.inference.classifier import build, logits
from imbsynth.engine.inference.pretrained import Backbone, take_weights
from imbsynth.engine.sources.spaces import PixelSpace, Space
from imbsynth.engine.training.average import Average
from imbsynth.engine.training.keeper import Keeper
from imbsynth.engine.training.moves import Moves, minority
from imbsynth.engine.training.normalising import normalise_by
from imbsynth.engine.training.sets import Members, real_rows, training_set
from imbsynth.engine.training.shares import normalised_together, own_rows, part_of_mean
from imbsynth.engine.training.states import Place, Stateful
from imbsynth.engine.training.strategy import strategy_of
from imbsynth.engine.training.task import History, Task
from imbsynth.engine.training.validation import AT_ONCE, NUMBERS, Validation, problem_of_recalls
from imbsynth.errors import UserError, option
from imbsynth.models.classifiers import Classifier, ImageShape
from imbsynth.models.fast.convolutions import channels_last
from imbsynth.models.split_norm import others_apart, split_norms
from imbsynth.runtime import arithmetic, current_world, initialised, seeded, stream


class Material(NamedTuple):
    """What a classifier learns from."""

    members: Members  # the training images of each class
    space: PixelSpace
    val: Validation
    drawn_in: Space | None = None  # where samplers work, if not on pixels
    synthetic: NDArray[np.bool_] | None = None  # (n,) which of the images are not real, if any
    backbone: Backbone | None = None  # the weights to start from; None: random ones


class ClassifierTask(Task[Indices]):
    """Classify the images of a training set, some of them moved (Algorithm 1 of the AOS paper)."""

    losses, numbers = ("loss",), NUMBERS
    model: Classifier

    def __init__(self, config: AosTrainConfig, material: Material, precision: str) -> None:
        members, space, self.val = material.members, material.space, material.val
        self.world = current_world()
        self.config, self.device, self.precision = config, space.device, precision
        self.model = _network(config, material)
        channels_last(self.model.to(self.device))
        sizes = np.array([len(own) for own in members.values()])
        self.counts = torch.from_numpy(sizes).to(self.device)
        self.one_hot = torch.eye(len(members), device=self.device)
        drawn_in = material.drawn_in or space
        self.shown = training_set(config, members, space, drawn_in, material.synthetic)
        # From this epoch on, only real images are shown.
        last = ceil(round(config.real_last * config.epochs, 6))  # 0.1 * 30 is a little more than 3
        self.real_from = config.epochs - last
        self.real_rows = np.arange(len(self.shown))
        if config.real_last:
            self.real_rows = real_rows(self.shown, list(members), config.seed)
        self.images = config.images_per_epoch or len(self.shown)
        self.steps = len(self.order(0))
        self.strategy = strategy_of(config)
        self.by_class = ByClass(self.shown.labels)
        self.average = Average(self.model, config.ema) if config.ema else None
        self.keeper = Keeper(self.model, config.keep)
        self.attack: Attack = ATTACKS[config.attack].with_options(config)
        self.moves: Moves | None = None
        if config.oversample == "aos" and self.real_from:
            movable = minority(sizes, config.minority_below)
            self.moves = Moves(config, self.shown, movable, self.order, self.model, self._attacked)

    def order(self, epoch: int) -> list[Indices]:
        """The batches of an epoch, as rows of the training set."""
        rng = stream(self.config.seed, "aos-train", "order", epoch)
        drawn = draw_batches(len(self.shown), self.config.batch_size, rng, total=self.images)
        return drawn if epoch < self.real_from else [self.real_rows[rows] for rows in drawn]

    def batches(self, place: Place) -> Iterator[Indices]:
        """Rows of the training set, after moving images where an epoch of drawing begins."""
        if self.moves is not None and place.epoch < self.real_from:
            self.moves.start_epoch(place)
        elif self.moves is not None:
            self.moves.stop()
        left = self.order(place.epoch)[place.step :]
        yield from fetched_ahead(self.shown.space.pixels, left, self.shown.parents_of)

    def batch_images(self, rows: Indices) -> Tensor:
        """(n, c, h, w) in [0, 1]: rows as a training step sees them, before augmentation."""
        images = self.shown.images(rows)
        return images if self.moves is None else self.moves.apply(images, rows)

    def compute(self, rows: Indices, place: Place) -> tuple[Tensor, Tensor]:
        """The mean loss of a batch."""
        of_all = partial(self._of_all_classes, place)
        batch = self.strategy.changed(self._batch(rows, place), self.counts, of_all, place)
        mine = self.world.share(len(rows))
        self.model.train()
        with (
            arithmetic(self.device, self.precision),
            self._dropout(place),
            self._apart(rows, mine),
            normalised_together(self.world),
        ):
            losses = self._losses(batch.images[mine], batch.targets[mine], place.progress)
        loss = self._mean(losses, rows, mine)
        return loss, loss[None]

    def _mean(self, losses: Tensor, rows: Indices, mine: slice) -> Tensor:
        """The own part of the mean over all rows, in which synthetic ones have their weight."""
        if self.config.synthetic_weight == 1:
            return part_of_mean(losses, len(rows))
        synthetic = torch.from_numpy(self.shown.synthetic[rows]).to(losses.device)
        weights = losses.new_ones(len(rows)).masked_fill(synthetic, self.config.synthetic_weight)
        return (weights[mine] * losses).sum() / weights.sum()

    def _dropout(self, place: Place) -> AbstractContextManager[None]:
        """What is dropped in a step; the shares of a batch have numbers of their own."""
        rank = self.world.rank
        own = (place.epoch, place.step, rank) if rank else (place.epoch, place.step)
        return seeded(self.device, self.config.seed, "aos-train", "dropout", *own)

    def _apart(self, rows: Indices, mine: slice) -> AbstractContextManager[None]:
        """Normalises the synthetic and the moved images of a batch apart, if that was chosen."""
        if not self.config.split_norm:
            return nullcontext()
        others = self.shown.synthetic[rows]
        if self.moves is not None:
            others = others | self.moves.moved[rows]
        return others_apart(self.model, torch.from_numpy(others).to(self.device), mine)

    def _batch(self, rows: Indices, _place: Place) -> Batch:
        return Batch(self.batch_images(rows), self._targets(self.shown.labels[rows]))

    def _of_all_classes(self, place: Place, count: int, rng: np.random.Generator) -> Batch:
        rows = self.by_class.draw(count, rng)
        return self._batch(rows if place.epoch < self.real_from else self.real_rows[rows], place)

    def _losses(self, images: Tensor, targets: Tensor, progress: float) -> Tensor:
        return self.strategy.loss(self._logits(images).float(), targets, self.counts, progress)

    def _logits(self, images: Tensor) -> Tensor:
        return self.model(images)

    def _attacked(
        self, images: Tensor, labels: NDArray[np.int64], place: Place, rng: np.random.Generator
    ) -> Tensor:
        targets = self._targets(labels)[self.world.share(len(labels))]

        def loss(moved: Tensor) -> Tensor:
            own = own_rows(moved, self.world)
            return self._losses(own, targets, place.progress).sum()

        with arithmetic(self.device, self.precision):
            return self.attack(images, loss, rng)

    def _targets(self, labels: NDArray[np.int64]) -> Tensor:
        return self.one_hot[torch.from_numpy(labels).to(self.device)]

    def end_step(self, place: Place) -> None:
        """Take the new weights into the average, if there is one."""
        if self.average is not None:
            self.average.update(place)

    def end_epoch(self, history: list[dict[str, Any]]) -> None:
        """Add the scores on the validation images, and keep the weights if they are the best."""
        line = history[-1]
        with nullcontext() if self.average is None else self.average.shown():
            line |= self.val.scores(self.judged())
            line["moved"] = 0 if self.moves is None else int(self.moves.moved.sum())
            self.keeper.end_epoch(history)

    def judged(self) -> NDArray[np.float32]:
        """(n, k) logits of the validation images, under the present weights."""
        count = len(self.val.pixels)
        own = logits(
            self.model,
            part_of(self.val.pixels, self.world.share(count)),
            device=self.device,
            precision=self.precision,
            batch_size=AT_ONCE,
        )
        return self.world.whole(torch.from_numpy(own), count).numpy()

    def parts(self) -> dict[str, Stateful]:
        """The best weights, the average if there is one, and the weights of the last draw."""
        found: dict[str, Stateful | None] = {
            "best": self.keeper,
            "average": self.average,
            "drawn": self.moves,
        }
        return {name: part for name, part in found.items() if part is not None}

    def problem_of(self, history: History) -> str | None:
        """Every epoch has the recall of each class."""
        return problem_of_recalls(history, self.model.classes)


def _network(config: AosTrainConfig, material: Material) -> Classifier:
    """As training begins: with random weights, or those of the backbone and a random head."""
    pixels, backbone = material.space.pixels, material.backbone
    model = initialised(
        lambda: build(
            config.model,
            ImageShape(*pixels.shape[1:]),
            len(material.members),
            LOSSES[config.loss].head,
            as_published=backbone is not None,
        ),
        config.seed,
    )
    if config.split_norm and not split_norms(model):
        raise UserError(
            f"{option('model')} {config.model} has no batch normalisation to split",
            f"leave out {option('split_norm')}, or choose another {option('model')}",
        )
    if backbone is None:
        normalise_by(model, pixels, np.concatenate(list(material.members.values())))
    else:
        take_weights(model, backbone)
    return model
