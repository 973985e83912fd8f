"""What an epoch shows: real images, copies of them, or images of a source.

A training set is a plan, not pixels: a row is an image of the folder or a point between several, so
that oversampling costs no memory. Kept as images is only what an autoencoder decodes, and what a
sampler puts elsewhere than between images.
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
from imbsynth.core.pixels import PixelRows, as_rows, to_bytes, to_unit
from imbsynth.core.plans import combine
from imbsynth.core.tables import SAMPLERS
from imbsynth.engine.sources.interpolation import Interpolation
from imbsynth.engine.sources.rendering import render
from imbsynth.engine.sources.spaces import PixelSpace, Space
from imbsynth.engine.training.buffers import buffer_on
from imbsynth.errors import UserError, option
from imbsynth.runtime import stream
from imbsynth.store.growing import GrowingImages
from imbsynth.store.names import listing
from imbsynth.store.row_files import Form

Members = dict[str, Indices]  # the image indices of each class


class TrainingRows(NamedTuple):
    """What the rows of a training set are made of, as in `Plan`, with a label each."""

    labels: NDArray[np.int64]  # (rows,)
    parents: NDArray[np.int64]  # (rows, p)
    weights: NDArray[np.float64]  # (rows, p)
    synthetic: NDArray[np.bool_]  # (rows,): neither a real image nor a copy of one


class TrainingSet:
    """Rows with a label and an image each."""

    def __init__(
        self, rows: TrainingRows, space: PixelSpace, decoded: PixelRows | None = None
    ) -> None:
        """decoded: (m, c, h, w) uint8, the last m rows where pixels cannot be interpolated."""
        self.rows, self.space, self.decoded = rows, space, decoded
        self.labels, self.synthetic = rows.labels, rows.synthetic
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

    def parents_of(self, rows: Indices) -> Indices:
        """The images of the folder that rows are made of."""
        return self.rows.parents[rows].ravel()

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
        form = Form(tuple(pixels.shape[1:]), np.int8)
        return Offsets(buffer_on(pixels.device, form, count, f"the moves of {count} images"))


def training_set(
    config: AosTrainConfig,
    members: Members,
    space: PixelSpace,
    drawn_in: Space,
    synthetic: NDArray[np.bool_] | None = None,
) -> TrainingSet:
    """The rows of an epoch by the oversampling chosen, the originals first.

    `ros` and `aos` (whose images are moved later) add copies, a sampler such as `smote` points in
    the space `drawn_in`: the images that `generate` would write. `rus` takes as many of each class
    as the smallest has. With a share, copies even out the classes, and synthetic images are added
    to all of them alike. synthetic: (n,), the images of the folder that are not real.
    """
    method = config.oversample
    synthetic = np.zeros(len(space.pixels), bool) if synthetic is None else synthetic
    largest = max(map(len, members.values()))
    if method == "rus":
        smallest = min(map(len, members.values()))
        members = {
            name: stream(config.seed, "aos-train", "rus", name).permutation(own)[:smallest]
            for name, own in members.items()
        }
    rows = [_copies(label, own, synthetic) for label, own in enumerate(members.values())]
    added = [largest - len(own) for own in members.values()]
    if method in ("aos", "ros") or config.share is not None:
        copying = Interpolation("ros", space, list(members), options=config, seed=config.seed)
        plans = [copying.plan(label, np.arange(n)) for label, n in enumerate(added)]
        rows += [_copies(k, plan.parents[:, 0], synthetic) for k, plan in enumerate(plans)]
    if method in ("none", "rus", "aos", "ros"):
        return TrainingSet(_joined(rows), space)
    if config.share is not None:
        added = [round(largest * config.share / (1 - config.share))] * len(members)
    source = Interpolation(method, drawn_in, list(members), options=config, seed=config.seed)
    return _with_drawn(rows, source, added, members, space)


def _with_drawn(
    rows: list[TrainingRows],
    source: Interpolation,
    added: list[int],
    members: Members,
    space: PixelSpace,
) -> TrainingSet:
    """These rows, and the first `added` synthetic images of each class."""
    if source.space is space and not SAMPLERS[source.method].offsets:
        plans = [(label, source.plan(label, np.arange(n))) for label, n in enumerate(added) if n]
        rows = rows + [_drawn(label, p.parents, p.weights) for label, p in plans]
        return TrainingSet(_joined(rows), space)
    drawn, decoded = [], GrowingImages(sum(added))
    for batch in render(source, added):
        decoded.extend(batch.pixels)
        # Its parents are not needed any more: one image stands for them.
        first = members[source.classes[batch.label]][:1].repeat(len(batch.pixels))[:, None]
        drawn.append(_drawn(batch.label, first, np.ones(first.shape)))
    pixels = decoded.whole()
    return TrainingSet(_joined(rows + drawn), space, None if pixels is None else as_rows(pixels))


def real_rows(shown: TrainingSet, classes: list[str], seed: int) -> Indices:
    """(rows,): each row itself or, for a synthetic one, a row of its class with a real image.

    The real rows of a class are used equally often. UserError for a class without a real image.
    """
    found = np.arange(len(shown))
    for label, name in enumerate(classes):
        own = shown.labels == label
        real, missing = (np.flatnonzero(own & kind) for kind in (~shown.synthetic, shown.synthetic))
        if not len(real):
            raise UserError(
                f"class {listing([name])} has no real image for the last epochs",
                f"add some, or leave out {option('real_last')}",
            )
        order = stream(seed, "aos-train", "real last", name).permutation(real)
        found[missing] = np.resize(order, len(missing))
    return found


def _copies(label: int, own: Indices, synthetic: NDArray[np.bool_]) -> TrainingRows:
    ones = np.ones((len(own), 1))
    return TrainingRows(np.full(len(own), label), own[:, None], ones, synthetic[own])


def _drawn(label: int, parents: Indices, weights: NDArray[np.float64]) -> TrainingRows:
    return TrainingRows(np.full(len(parents), label), parents, weights, np.ones(len(parents), bool))


def _joined(rows: list[TrainingRows]) -> TrainingRows:
    """All rows, in order; those of fewer parents get their first one again, with weight 0."""
    width = max(piece.parents.shape[1] for piece in rows)
    parents = [
        np.pad(piece.parents, ((0, 0), (0, width - piece.parents.shape[1])), "edge")
        for piece in rows
    ]
    weights = [
        np.pad(piece.weights, ((0, 0), (0, width - piece.weights.shape[1]))) for piece in rows
    ]
    labels, synthetic = (
        np.concatenate([getattr(piece, name) for piece in rows]) for name in ("labels", "synthetic")
    )
    return TrainingRows(labels, np.concatenate(parents), np.concatenate(weights), synthetic)
