"""Blends of the images of a batch: what is blended is drawn first, then computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# (n, c, h, w) images in [0, 1], (n, k) targets and a generator -> both, blended.
Mixing = Callable[[Tensor, Tensor, np.random.Generator], tuple[Tensor, Tensor]]

ALPHA = 0.2  # of the Beta distribution; the paper's range on ImageNet is 0.1 to 0.4


class Mixup(NamedTuple):
    """One weight for a batch, and the image that each of its images is blended with."""

    weight: float  # in [0, 1], of the image itself
    partner: NDArray[np.int64]  # (n,) a permutation of 0..n-1


def random_mixup(
    images: Tensor, targets: Tensor, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """`mixup` with a random weight and random partners."""
    return mixup(images, targets, draw_mixup(len(images), rng))


def draw_mixup(count: int, rng: np.random.Generator) -> Mixup:
    """lambda ~ Beta(alpha, alpha), and a random order of `count` images (Zhang et al., 2018)."""
    return Mixup(float(rng.beta(ALPHA, ALPHA)), rng.permutation(count))


def mixup(images: Tensor, targets: Tensor, drawn: Mixup) -> tuple[Tensor, Tensor]:
    """lambda x_i + (1 - lambda) x_j, and the same of the targets (Zhang et al., 2018)."""
    partner = torch.from_numpy(drawn.partner).to(images.device)
    blended = torch.lerp(images[partner], images, drawn.weight)
    return blended, torch.lerp(targets[partner], targets, drawn.weight)
