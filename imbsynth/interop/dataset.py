"""A folder as a PyTorch data set that balances itself, for one's own training loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from imbsynth.configs import BalancedConfig
from imbsynth.core.pixels import as_rows, to_unit
from imbsynth.engine.events import OnEvent, silent
from imbsynth.engine.manifest import refuse_synthetic
from imbsynth.engine.reading import Labelled
from imbsynth.engine.sources.chosen import compute_of, images_for, source_of
from imbsynth.engine.sources.rendering import render
from imbsynth.engine.sources.source import Source
from imbsynth.engine.sources.targets import explain_sizes, missing
from imbsynth.runtime import stream

Transform = Callable[[Tensor], Any]  # a (c, h, w) uint8 image -> what a batch is made of


class Balanced(NamedTuple):
    """What `torch.utils.data.DataLoader` takes: `DataLoader(dataset, sampler=sampler, ...)`."""

    dataset: BalancedImages
    sampler: EpochSampler


def run(
    config: BalancedConfig, *, transform: Transform = to_unit, on_event: OnEvent = silent
) -> Balanced:
    """Read the folder and make the synthetic images of the first epoch."""
    refuse_synthetic(config.src)
    compute = compute_of(config)
    images = images_for(config, compute, on_event)
    sizes = {name: len(own) for name, own in zip(images.classes, images.members(), strict=True)}
    added = missing(config, sizes)
    explain_sizes(config, sizes, added, on_event)
    source = source_of(config, compute, images, added, on_event)
    dataset = BalancedImages(images, source, list(added.values()), transform)
    return Balanced(dataset, EpochSampler(dataset, config.seed, fresh=config.fresh))


class BalancedImages(Dataset[tuple[Any, int]]):
    """The images of a folder, decoded once, and after them the synthetic images of an epoch.

    An item is `transform(image)` with its label: the image is a (c, h, w) uint8 tensor, and the
    label a place in `classes`. In epoch e, a class that gets m synthetic images has the rows e m to
    (e + 1) m - 1 of its plan: in epoch 0 the images that `generate` writes with the same options.
    They are in shared memory, so the workers of a `DataLoader` see what the main process draws.
    """

    def __init__(
        self, images: Labelled, source: Source, added: list[int], transform: Transform
    ) -> None:
        """added: synthetic images per class and epoch."""
        self.classes = images.classes
        self.class_to_idx = {name: label for label, name in enumerate(images.classes)}
        self.transform = transform
        labels = np.concatenate([images.labels, np.repeat(np.arange(len(added)), added)])
        self.targets: list[int] = labels.tolist()  # the label of every item, as in torchvision
        self._pixels = as_rows(images.pixels)
        self._made = torch.empty(sum(added), *self._pixels.shape[1:], dtype=torch.uint8)
        self._made.share_memory_()
        self._source: Source | None = source  # None in a worker that was not forked
        self._added, self._epoch = added, -1
        self.draw(0)

    def __len__(self) -> int:
        """Images per epoch."""
        return len(self.targets)

    def __getitem__(self, place: int) -> tuple[Any, int]:
        """An image of the folder or, after those, a synthetic one, and its label.

        place: from the end if negative; IndexError outside.
        """
        real, place = len(self._pixels), range(len(self))[place]
        image = self._pixels[place] if place < real else self._made[place - real]
        return self.transform(image), self.targets[place]

    def is_synthetic(self, place: int) -> bool:
        """Whether the image at a place is synthetic; from the end if negative."""
        return range(len(self))[place] >= len(self._pixels)

    def draw(self, epoch: int) -> None:
        """Make the synthetic images of an epoch, counted from 0; ValueError in a worker."""
        if self._source is None:
            raise ValueError("synthetic images are drawn in the main process, not in a worker")
        if epoch == self._epoch:
            return
        self._epoch = -1  # of none, should this be interrupted
        done = 0
        for batch in render(self._source, self._added, epoch):
            self._made[done : done + len(batch.pixels)] = torch.from_numpy(batch.pixels)
            done += len(batch.pixels)
        self._epoch = epoch

    def __getstate__(self) -> dict[str, Any]:
        """For workers that are not forked: all but what draws."""
        return {**vars(self), "_source": None}


class EpochSampler(Sampler[int]):
    """The places of a data set in random order; each pass is the next epoch.

    Before an epoch its synthetic images are drawn, unless they are the same for all. Both depend on
    the seed and the epoch alone: `set_epoch` resumes a training exactly.
    """

    def __init__(self, dataset: BalancedImages, seed: int, *, fresh: bool) -> None:
        """fresh: whether every epoch has synthetic images of its own."""
        self.dataset, self.seed, self.fresh = dataset, seed, fresh
        self.epoch = 0  # the next one, counted from 0

    def __len__(self) -> int:
        return len(self.dataset)

    def __iter__(self) -> Iterator[int]:
        epoch, self.epoch = self.epoch, self.epoch + 1
        if self.fresh:
            self.dataset.draw(epoch)
        order = stream(self.seed, "balanced", "order", epoch).permutation(len(self.dataset))
        yield from order.tolist()

    def set_epoch(self, epoch: int) -> None:
        """Let the next pass be this epoch, counted from 0."""
        self.epoch = epoch
