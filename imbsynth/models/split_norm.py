"""Batch normalisation by groups: what is not real does not change the statistics of real images."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional


class SplitNorm(nn.BatchNorm2d):
    """Batch normalisation that, in training, normalises two groups of a batch each by itself.

    After AdvProp (Xie et al., 2020, "Adversarial Examples Improve Image Recognition"), where moved
    images have a normalisation of their own: they are distributed otherwise, and the statistics
    that judge real images should be those of real images. In evaluation all images count as real,
    and only their statistics are kept. A departure: the scale and shift that are learned are
    shared, so that the network has the weights that it has without the split.
    """

    others: Tensor | None = None  # (n,) bool: the images of a batch that are not real
    # How many those are, and all: of the whole batch, where other processes have a part of it.
    number, count = 0, 0

    def forward(self, maps: Tensor) -> Tensor:
        """(n, c, h, w) maps, normalised; a group of a single image joins the other group."""
        others = self.others if self.training else None
        if others is None or self.number < 2 or self.count - self.number == 1:
            return super().forward(maps)
        if self.number == self.count:
            return self._by_itself(maps)
        both = torch.cat([super().forward(maps[~others]), self._by_itself(maps[others])])
        # Back into the order of the batch.
        return both[torch.cat([(~others).nonzero()[:, 0], others.nonzero()[:, 0]]).argsort()]

    def _by_itself(self, maps: Tensor) -> Tensor:
        """By its own mean and deviation, which are not kept."""
        return functional.batch_norm(
            maps, None, None, self.weight, self.bias, training=True, eps=self.eps
        )


def split_norms(model: nn.Module) -> int:
    """Let every batch normalisation of a network be a `SplitNorm`; how many there are."""
    found = 0
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.BatchNorm2d:
                setattr(parent, name, _split(child))
                found += 1
    return found


def _split(norm: nn.BatchNorm2d) -> SplitNorm:
    split = SplitNorm(
        norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats
    )
    split.load_state_dict(norm.state_dict())
    return split


@contextmanager
def others_apart(model: nn.Module, others: Tensor, mine: slice = slice(None)) -> Iterator[None]:
    """Within it, these images of a batch, (n,) bool, are normalised apart from the real ones.

    mine: the images of the batch that the network is given, if other processes have the rest.
    """
    norms = [module for module in model.modules() if isinstance(module, SplitNorm)]
    number, count = int(others.sum()), len(others)
    for norm in norms:
        norm.others, norm.number, norm.count = others[mine], number, count
    try:
        yield
    finally:
        for norm in norms:
            norm.others = None
