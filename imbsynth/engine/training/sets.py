"""What an epoch shows: real images, copies of them, or images of a source.

A training set is a plan, not pixels: a row is an image of the folder or a point between several, so
that oversampling costs no memory. Only what an autoencoder decodes is kept as images.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbsynth.configs import AosTrainConfig
from imbsynth.core.batches import Indices
from imbsynth.core.offsets import Offsets
from imbsynth.core.pixels import to_bytes, to_unit
from imbsynth.core.plans import combine
from imbsynth.engine.sources.interpolation import Interpolation
from imbsynth.engine.sources.rendering import render
from imbsynth.engine.sources.spaces import Pixels, Space
from imbsynth.runtime import stream

Members = dict[str, Indices]  # the image indices of each class


class Rows(NamedTuple):
    """What the rows of a training set are made of, as in `Plan`, with a label each."""

    labels: NDArray[np.int64]  # (rows,)
    parents: NDArray[np.int64]  # (rows, p)
    weights: NDArray[np.float64]  # (rows, p)


class TrainingSet:
    """Rows with a label and an image each."""

    def __init__(self, rows: Rows, space: Pixels, decoded: Tensor | None = None) -> None:
        """decoded: (m, c, h, w) uint8, the last m rows where pixels cannot be interpolated."""
        self.rows, self.space, self.decoded = rows, space, decoded
        self.labels = rows.labels
        # From this row on, images are looked up among the decoded ones.
        self._first_decoded = len(rows.labels) - (0 if decoded is None else len(decoded))
        is_real = (rows.weights[:, 0] == 1) & ~rows.weights[:, 1:].any(1)
        is_real[self._first_decoded :] = False
        alone = len(space.pixels) + np.arange(len(rows.labels))
        # (rows,): rows with the same number show the same image.
        self.identity: NDArray[np.int64] = np.where(is_real, rows.parents[:, 0], alone)

    def __len__(self) -> int:
        return len(self.labels)

    def images(self, rows: Indices) -> Tensor:
        """(n, c, h, w) in [0, 1] on the device, without augmentation; never shared."""
        is_decoded = rows >= self._first_decoded
        if self.decoded is None or not is_decoded.any():
            images = self._combined(rows)
        else:
            images = torch.empty(len(rows), *self.decoded.shape[1:], device=self.space.device)
            chosen = self.decoded[torch.from_numpy(rows[is_decoded] - self._first_decoded)]
            images[torch.from_numpy(is_decoded)] = to_unit(chosen.to(images.device))
            if not is_decoded.all():
                images[torch.from_numpy(~is_decoded)] = self._combined(rows[~is_decoded])
        return images.contiguous(memory_format=torch.channels_last)

    def _combined(self, rows: Indices) -> Tensor:
        """Images of the folder and between them, (n, c, h, w) in [0, 1]."""
        weights = self.rows.weights[rows]
        parents = self.rows.parents[rows].T
        if not weights[:, 1:].any():
            return self.space.points_of(parents[0])
        points = [self.space.points_of(column) for column in parents]
        # As whole gray levels: the images that `generate` would write.
        return to_unit(to_bytes(combine(points, torch.from_numpy(weights))))

    def offsets(self, count: int) -> Offsets:
        """Room for the offsets of `count` images, beside the pixels: on the device if they fit."""
        pixels = self.space.pixels
        return Offsets(count, pixels.shape[1:], pixels.device)


def training_set(
    config: AosTrainConfig, members: Members, space: Pixels, drawn_in: Space
) -> TrainingSet:
    """The rows of an epoch by the oversampling chosen, the originals first.

    `ros` and `aos` (whose images are moved later) add copies, `smote` points between neighbors in
    the space `drawn_in`: the images that `generate` would write. `rus` takes as many of each class
    as the smallest has.
    """
    method = config.oversample
    sizes = {name: len(own) for name, own in members.items()}
    if method == "rus":
        smallest = min(sizes.values())
        members = {
            name: stream(config.seed, "aos-train", "rus", name).permutation(own)[:smallest]
            for name, own in members.items()
        }
    rows = [_originals(label, own) for label, own in enumerate(members.values())]
    if method in ("none", "rus"):
        return TrainingSet(_joined(rows), space)
    added = [max(sizes.values()) - size for size in sizes.values()]
    sampler = "ros" if method == "aos" else method
    source = Interpolation(sampler, drawn_in, list(members), options=config, seed=config.seed)
    if drawn_in is space:
        plans = [(label, source.plan(label, np.arange(n))) for label, n in enumerate(added) if n]
        rows += [Rows(np.full(len(p.rows), label), p.parents, p.weights) for label, p in plans]
        return TrainingSet(_joined(rows), space)
    decoded = []
    for batch in render(source, added):
        decoded.append(torch.from_numpy(batch.pixels))
        first = members[source.classes[batch.label]][:1]
        rows.append(_originals(batch.label, first.repeat(len(batch.pixels))))
    return TrainingSet(_joined(rows), space, torch.cat(decoded) if decoded else None)


def _originals(label: int, own: Indices) -> Rows:
    return Rows(np.full(len(own), label), own[:, None], np.ones((len(own), 1)))


def _joined(rows: list[Rows]) -> Rows:
    """All rows, in order; those of fewer parents get their first one again, with weight 0."""
    width = max(piece.parents.shape[1] for piece in rows)
    parents = [
        np.pad(piece.parents, ((0, 0), (0, width - piece.parents.shape[1])), "edge")
        for piece in rows
    ]
    weights = [
        np.pad(piece.weights, ((0, 0), (0, width - piece.weights.shape[1]))) for piece in rows
    ]
    labels = np.concatenate([piece.labels for piece in rows])
    return Rows(labels, np.concatenate(parents), np.concatenate(weights))
