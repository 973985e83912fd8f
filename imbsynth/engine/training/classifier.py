"""The steps by which a classifier is trained, with AOS's moved images among what it sees."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from imbsynth.configs import AosTrainConfig
from imbsynth.core import augmentation, metrics
from imbsynth.core.attacks import fgsm
from imbsynth.core.batches import Indices, draw_batches
from imbsynth.core.pixels import to_bytes, to_unit
from imbsynth.core.samplers import interpolate
from imbsynth.engine.inference.classifier import build, probabilities
from imbsynth.engine.sources.spaces import Pixels
from imbsynth.engine.training.history import check_lines, is_number
from imbsynth.engine.training.loop import Training
from imbsynth.engine.training.oversampling import Members, minority, training_plan
from imbsynth.models.classifiers import Classifier, ImageShape
from imbsynth.runtime import arithmetic, initialised, seeded, stream
from imbsynth.store.checkpoints import Checkpoint

ATTACK_BATCH = 512  # images moved at once
EVALUATION_BATCH = 1000
LEVELS = 127  # an offset is kept as a whole number from -127 to 127 times epsilon / 127
VAL_SCORES = ("f1_macro", "acsa", "g_mean")
VAL_NUMBERS = (*VAL_SCORES, "val_loss")  # of every epoch


class Validation(NamedTuple):
    """Real images that choose the epoch."""

    pixels: Tensor  # (n, c, h, w) uint8, on the CPU or on the device
    labels: NDArray[np.int64]  # (n,)


class ClassifierTraining(Training):
    """A run of `aos-train` (Algorithm 1 of the AOS paper, and what it is compared with)."""

    losses = ("loss",)

    def __init__(
        self,
        config: AosTrainConfig,
        members: Members,
        pixels: Pixels,
        val: Validation,
        precision: str,
    ) -> None:
        self.config, self.val = config, val
        self.pixels = pixels.pixels
        shape = ImageShape(*self.pixels.shape[1:])
        self.model = initialised(lambda: build(config.model, shape, len(members)), config.seed)
        self._normalise(np.concatenate(list(members.values())))
        super().__init__(config, self.model, pixels.device, precision)
        self.plan = training_plan(config, members, pixels)
        self.images = config.images_per_epoch or len(self.plan.label)
        self.steps = len(self._order(0))
        self.best: dict[str, Tensor] = {}  # the weights of the best epoch so far
        self.movable = minority(members, config.minority_below)[self.plan.label]
        self.drawn: dict[str, Tensor] = {}  # the weights at the last draw of moved images
        self.moved = np.zeros(len(self.plan.label), bool)  # the rows that the draw took
        self.place_of = np.zeros(len(self.pixels), np.int64)  # of a base among the offsets
        self.offsets = torch.empty(0)  # (p, c, h, w) int8, in units of epsilon / LEVELS

    def _normalise(self, members: Indices) -> None:
        """Give the model the mean and deviation of each channel of the real training images."""
        sums = torch.zeros(2, self.pixels.shape[1], dtype=torch.float64)
        for chosen in torch.from_numpy(members).split(EVALUATION_BATCH):
            images = to_unit(self.pixels[chosen.to(self.pixels.device)]).double()
            sums += torch.stack([images.sum((0, 2, 3)), images.square().sum((0, 2, 3))]).cpu()
        mean, square = sums / (len(members) * self.pixels[0, 0].numel())
        deviation = (square - mean.square()).clamp(min=0).sqrt()
        self.model.mean.copy_(mean[:, None, None])
        # A constant channel carries nothing: dividing by 1 keeps it so.
        self.model.deviation.copy_(deviation.where(deviation > 1e-6, 1)[:, None, None])

    def _order(self, epoch: int) -> list[Indices]:
        rng = stream(self.config.seed, "aos-train", "order", epoch)
        return draw_batches(len(self.plan.label), self.config.batch_size, rng, total=self.images)

    def batches(self) -> Iterator[Indices]:
        """Rows of the plan, after moving images where an epoch of drawing begins (lines 3-14)."""
        epoch = len(self.history)
        if self.config.oversample == "aos" and epoch % self.config.every == 0 and not self.step:
            self.drawn = _copied(self.model)
            self._move(epoch)
        yield from self._order(epoch)[self.step :]

    def _move(self, epoch: int) -> None:
        """Draw which rows are moved, and compute where, under the present weights.

        Copies of an image get the same gradient, so each image is moved once, and only if a batch
        will show it before the next draw. Batch normalisation is in evaluation mode: that is the
        network whose boundary will judge images, each image's gradient is its own, and the running
        statistics stay as they are.
        """
        rng = stream(self.config.seed, "aos-train", "moved", epoch)
        self.moved = self.movable & (rng.random(len(self.movable)) < self.config.tau)
        self.moved &= self._shown(range(epoch, epoch + self.config.every))
        bases, first = np.unique(self.plan.base[self.moved], return_index=True)
        labels = torch.from_numpy(self.plan.label[self.moved][first])
        self.place_of[bases] = np.arange(len(bases))
        self.offsets = torch.empty(
            (len(bases), *self.pixels.shape[1:]), dtype=torch.int8, device=self.pixels.device
        )
        self.model.eval()
        for rows in torch.arange(len(bases)).split(ATTACK_BATCH):
            images = self._real(bases[rows.numpy()])
            targets = labels[rows].to(self.device)
            with arithmetic(self.device, self.precision):
                moved = fgsm(images, partial(self._loss, labels=targets), self.config.epsilon)
            units = (moved - images) * (LEVELS / self.config.epsilon)
            self.offsets[rows.to(self.offsets.device)] = units.round().to(self.offsets)

    def _shown(self, epochs: Iterable[int]) -> NDArray[np.bool_]:
        """Which rows of the plan are in a batch of these epochs: not all, with few images each."""
        shown = np.zeros(len(self.plan.label), bool)
        shown[np.concatenate([rows for epoch in epochs for rows in self._order(epoch)])] = True
        return shown

    def _loss(self, images: Tensor, labels: Tensor) -> Tensor:
        return functional.cross_entropy(self.model(images).float(), labels, reduction="sum")

    def compute(self, batch: Indices) -> tuple[Tensor, Tensor]:
        """The mean cross-entropy of a batch."""
        self.optimiser.param_groups[0]["lr"] = self._lr()
        epoch = len(self.history)
        images = self._augmented(self.batch_images(batch), epoch)
        labels = torch.from_numpy(self.plan.label[batch]).to(self.device)
        self.model.train()
        with (
            arithmetic(self.device, self.precision),
            seeded(self.device, self.config.seed, "aos-train", "dropout", epoch, self.step),
        ):
            loss = self._loss(images, labels) / len(batch)
        return loss, loss[None]

    def _lr(self) -> float:
        """The learning rate of the present step."""
        if self.config.schedule == "constant":
            return self.config.lr
        done = (len(self.history) * self.steps + self.step) / (self.config.epochs * self.steps)
        return self.config.lr * (1 + math.cos(math.pi * done)) / 2

    def batch_images(self, rows: Indices) -> Tensor:
        """(n, c, h, w) in [0, 1]: rows of the plan as a training step sees them, unaugmented."""
        images = self._real(self.plan.base[rows])
        lam = self.plan.lam[rows]
        if lam.any():
            ends = self._real(self.plan.neighbor[rows])
            # As whole grey levels: the images that `generate` would write.
            images = to_unit(to_bytes(interpolate(images, ends, torch.from_numpy(lam))))
        moved = np.flatnonzero(self.moved[rows])
        if len(moved):
            places = torch.from_numpy(self.place_of[self.plan.base[rows[moved]]])
            offsets = self.offsets[places.to(self.offsets.device)].to(images)
            where = torch.from_numpy(moved).to(self.device)
            images[where] += offsets * (self.config.epsilon / LEVELS)
            images = images.clamp(0, 1)
        return images.contiguous(memory_format=torch.channels_last)

    def _real(self, indices: Indices) -> Tensor:
        chosen = torch.from_numpy(indices).to(self.pixels.device)
        return to_unit(self.pixels[chosen].to(self.device))

    def _augmented(self, images: Tensor, epoch: int) -> Tensor:
        rng = stream(self.config.seed, "aos-train", "augment", epoch, self.step)
        if self.config.augment == "affine":
            return augmentation.affine(images, augmentation.draw_affine(len(images), rng))
        if self.config.augment == "flip-crop":
            size = (images.shape[2], images.shape[3])
            drawn = augmentation.draw_flip_crop(len(images), size, rng)
            return augmentation.flip_crop(images, drawn)
        return images

    def end_epoch(self) -> dict[str, Any]:
        """Close the epoch with its scores on the validation images, and keep the best weights."""
        line = super().end_epoch()
        found = probabilities(
            self.model,
            self.val.pixels,
            device=self.device,
            precision=self.precision,
            batch_size=EVALUATION_BATCH,
        )
        k = self.model.classes
        confusion = metrics.confusion_matrix(self.val.labels, found.argmax(1), k)
        line |= {name: float(metrics.SCORES[name](confusion)) for name in VAL_SCORES}
        line["val_loss"] = _balanced_loss(found, self.val.labels)
        line["recalls"] = metrics.recalls(confusion).tolist()
        line["moved"] = int(self.moved.sum())
        if self.best_epoch == line["epoch"]:
            self.best = _copied(self.model)
        return line

    @property
    def best_epoch(self) -> int:
        """The epoch that is kept so far, counted from 1."""
        return int(best_of(self.history)["epoch"])

    def state(self) -> Checkpoint:
        """As every run's, with the best weights, and those of the last draw: it can be redone."""
        own = super().state()
        for prefix, weights in (("best.", self.best), ("drawn.", self.drawn)):
            own.tensors.update({prefix + name: value for name, value in weights.items()})
        return own

    def check_history(self, history: Any, step: Any, seconds: Any) -> None:
        """Likewise, with the scores of every epoch."""
        super().check_history(history, step, seconds)
        check_lines(history, VAL_NUMBERS)
        for line in history:
            recalls = line.get("recalls")
            if not isinstance(recalls, list) or len(recalls) != self.model.classes:
                raise ValueError("its history lacks recalls")
            if not all(map(is_number, recalls)):
                raise ValueError("its history has recalls that are no numbers")

    def restore(self, state: Checkpoint) -> None:
        """Go back to a state; what was moved is drawn anew from the weights of that time."""
        super().restore(state)
        epoch, since = len(self.history), len(self.history) % self.config.every
        within_a_draw = self.config.oversample == "aos" and (since or self.step)
        if within_a_draw:
            self.drawn = self._weights_of(state, "drawn.")
            self._move(epoch - since)
        if epoch:
            self.best = self._weights_of(state, "best.")
        self.put_weights(state.tensors, "model.")

    def _weights_of(self, state: Checkpoint, prefix: str) -> dict[str, Tensor]:
        """The weights in a state whose names begin with `prefix`, which the model has then."""
        self.put_weights(state.tensors, prefix)
        return _copied(self.model)


def best_of(history: list[dict[str, Any]]) -> dict[str, Any]:
    """The epoch with the best macro F1 on the validation images; of equals, the surest one.

    A few images of a rare class leave only a few values of F1, and an early epoch that was lucky
    would win against all later ones: so the lower validation loss decides, then the earlier epoch.
    """
    return max(history, key=lambda line: (line["f1_macro"], -line["val_loss"]))


def _balanced_loss(found: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Cross-entropy of (n, k) probabilities, every class weighing alike, as in macro F1."""
    right = found[np.arange(len(labels)), labels].astype(np.float64)
    losses = -np.log(right.clip(min=np.finfo(np.float32).tiny))
    return float((np.bincount(labels, losses) / np.bincount(labels)).mean())


def _copied(model: Classifier) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}
