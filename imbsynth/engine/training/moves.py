"""Images moved towards and past the decision boundary while training (AOS, Algorithm 1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from imbsynth.configs import AosTrainConfig
from imbsynth.core.batches import Indices, images_at_once
from imbsynth.engine.training.sets import TrainingSet
from imbsynth.engine.training.states import Place, weights_now
from imbsynth.runtime import stream

MOST_AT_ONCE, PIXELS_AT_ONCE = 512, 512 * 32 * 32  # moved; each image's gradient is its own

Order = Callable[[int], list[Indices]]  # the batches of an epoch, as rows
# (n, c, h, w) images, (n,) labels, the place of the draw, a generator -> the images, moved.
Attacked = Callable[[Tensor, NDArray[np.int64], Place, np.random.Generator], Tensor]


class Moves:
    """Which rows of a training set are moved, and how far; a part of a run.

    Its state is the network's weights at the last draw: they make the same draw again.
    """

    def __init__(
        self,
        config: AosTrainConfig,
        shown: TrainingSet,
        minority: NDArray[np.bool_],
        order: Order,
        model: nn.Module,
        attacked: Attacked,
    ) -> None:
        """What is needed for a draw. minority: (k,), the classes whose rows may be moved."""
        self.config, self.shown, self.order = config, shown, order
        self.model, self.attacked = model, attacked
        self.movable = minority[shown.labels]
        self.moved = np.zeros(len(shown), bool)  # the rows that the last draw took
        self.place_of = np.zeros(len(shown), np.int64)  # of each of them among the offsets
        self.offsets = shown.offsets(0)
        self.drawn: dict[str, Tensor] = {}  # the weights at the last draw

    def start_epoch(self, place: Place) -> None:
        """Draw, where an epoch of drawing begins (Algorithm 1, lines 3 to 14)."""
        if place.step == 0 and place.epoch % self.config.every == 0:
            self.drawn = weights_now(self.model)
            self._draw(place)

    def stop(self) -> None:
        """Move no image any more."""
        self.moved[:] = False

    def apply(self, images: Tensor, rows: Indices) -> Tensor:
        """Move the images of those of the rows that were drawn, in place; the images."""
        moved = np.flatnonzero(self.moved[rows])
        if len(moved):
            where = torch.from_numpy(moved).to(images.device)
            places = torch.from_numpy(self.place_of[rows[moved]])
            images[where] = self.offsets.apply(images[where], places)
        return images

    def _draw(self, place: Place) -> None:
        """Draw which rows are moved, and compute where to, under the present weights.

        Copies of an image get the same gradient, so each image is moved once, and only if a batch
        will show it before the next draw. Batch normalisation is in evaluation mode: that is the
        network whose boundary will judge images, each image's gradient is its own, and the running
        statistics stay as they are.
        """
        seed, epoch = self.config.seed, place.epoch
        rng = stream(seed, "aos-train", "moved", epoch)
        self.moved = self.movable & (rng.random(len(self.movable)) < self.config.tau)
        self.moved &= self._in_a_batch(range(epoch, epoch + self.config.every))
        rows = np.flatnonzero(self.moved)
        _, first, self.place_of[rows] = np.unique(
            self.shown.identity[rows], return_index=True, return_inverse=True
        )
        self.offsets = self.shown.offsets(0)  # the room of the last draw is free again
        self.offsets = self.shown.offsets(len(first))
        rng = stream(seed, "aos-train", "attack", epoch)
        self.model.eval()
        size = moved_at_once(self.shown.space.pixels.shape[2:])
        for start in range(0, len(first), size):
            chosen = rows[first[start : start + size]]
            images = self.shown.images(chosen)
            moved = self.attacked(images, self.shown.labels[chosen], place, rng)
            self.offsets.encode(slice(start, start + len(chosen)), moved - images)

    def _in_a_batch(self, epochs: Iterable[int]) -> NDArray[np.bool_]:
        """(rows,): those in a batch of these epochs; not all are, where an epoch is short."""
        found = np.zeros(len(self.shown), bool)
        for epoch in epochs:
            found[np.concatenate(self.order(epoch))] = True
            if found.all():  # usually by the first one; there may be a million
                break
        return found

    def state_dict(self) -> dict[str, Tensor]:
        """The weights at the last draw; none before the first."""
        return self.drawn

    def template(self, place: Place) -> dict[str, Tensor]:
        """Those of the network, once a step was taken."""
        return self.model.state_dict() if place.started else {}

    def load_state_dict(self, tensors: dict[str, Tensor], place: Place) -> None:
        """Draw anew under the weights of that time, if what was drawn is still in use."""
        since = place.epoch % self.config.every
        now = weights_now(self.model)
        if tensors:
            self.model.load_state_dict(tensors)
            self.drawn = weights_now(self.model)
        if tensors and (since or place.step):
            self._draw(place._replace(epoch=place.epoch - since, step=0))
        self.model.load_state_dict(now)


def moved_at_once(size: Sequence[int]) -> int:
    """How many images of (height, width) are moved at once: by size, so the same everywhere."""
    return images_at_once(size, MOST_AT_ONCE, PIXELS_AT_ONCE)


def minority(sizes: NDArray[np.int64], below: float) -> NDArray[np.bool_]:
    """(k,): the classes with fewer than `below` times as many images as the largest."""
    return sizes < below * sizes.max()
