"""Blends of the images of two batches: what is blended is drawn first, then computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

MIXUP_ALPHA = 0.2  # of the Beta distribution; the paper's range on ImageNet is 0.1 to 0.4
ALPHA = 1.0  # of the other papers
KAPPA, TAU = 3.0, 0.5  # remix: from which ratio of class sizes, and below which weight, labels turn

Rng = np.random.Generator


class Batch(NamedTuple):
    """Images with what they show."""

    images: Tensor  # (n, c, h, w) in [0, 1]
    targets: Tensor  # (n, k), rows that sum to 1


# A batch, the partners of its images, (k,) training images per class, a generator -> the blend.
Mixing = Callable[[Batch, Batch, Tensor, Rng], Batch]


class Box(NamedTuple):
    """A rectangle of pixels; an end is not part of it."""

    top: int
    bottom: int
    left: int
    right: int


def random_mixup(
    own: Batch, partners: Batch, _counts: Tensor, rng: Rng, *, mix_alpha: float | None = None
) -> Batch:
    """`mixup` with one random weight for the batch."""
    return mixup(own, partners, draw_weight(MIXUP_ALPHA if mix_alpha is None else mix_alpha, rng))


def random_cutmix(
    own: Batch, partners: Batch, _counts: Tensor, rng: Rng, *, mix_alpha: float | None = None
) -> Batch:
    """`cutmix` with one random rectangle for the batch."""
    weight = draw_weight(ALPHA if mix_alpha is None else mix_alpha, rng)
    height, width = own.images.shape[2:]
    return cutmix(own, partners, draw_box(weight, (height, width), rng))


def random_remix(
    own: Batch, partners: Batch, counts: Tensor, rng: Rng, *, mix_alpha: float | None = None
) -> Batch:
    """`remix` with one random weight for the batch."""
    weight = draw_weight(ALPHA if mix_alpha is None else mix_alpha, rng)
    return remix(own, partners, counts, weight)


def draw_weight(alpha: float, rng: Rng) -> float:
    """lambda ~ Beta(alpha, alpha), in [0, 1]: how much of each image stays."""
    return float(rng.beta(alpha, alpha))


def draw_box(weight: float, size: tuple[int, int], rng: Rng) -> Box:
    """A rectangle of 1 - lambda of an image of (height, width), around a uniform pixel.

    Its sides are sqrt(1 - lambda) of the image's, and it is cut off at the edges (Yun et al.,
    2019, equation 2 and the authors' code).
    """
    half = [int(0.5 * np.sqrt(1 - weight) * side) for side in size]
    centre = [int(rng.integers(side)) for side in size]
    (top, bottom), (left, right) = (
        (max(0, c - h), min(side, c + h)) for c, h, side in zip(centre, half, size, strict=True)
    )
    return Box(top, bottom, left, right)


def mixup(own: Batch, partners: Batch, weight: float) -> Batch:
    """lambda x_i + (1 - lambda) x_j, and the same of the targets (Zhang et al., 2018)."""
    return Batch(
        torch.lerp(partners.images, own.images, weight),
        torch.lerp(partners.targets, own.targets, weight),
    )


def cutmix(own: Batch, partners: Batch, box: Box) -> Batch:
    """Images with a rectangle of their partners', and targets weighted by area (Yun et al., 2019).

    With partners that show all classes equally often, it is CMO: rare images in the surroundings
    of frequent ones (Park et al., 2022).
    """
    rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
    images = own.images.clone()
    images[:, :, rows, columns] = partners.images[:, :, rows, columns]
    height, width = images.shape[2:]
    weight = 1 - (box.bottom - box.top) * (box.right - box.left) / (height * width)
    return Batch(images, torch.lerp(partners.targets, own.targets, weight))


def remix(own: Batch, partners: Batch, counts: Tensor, weight: float) -> Batch:
    """`mixup` whose targets favour the rarer class (Chou et al., 2020, equation 8).

    The weight of an image's own target is 0 if n_i / n_j >= kappa and lambda < tau; 1 if
    n_i / n_j <= 1 / kappa and 1 - lambda < tau; and else lambda. Targets are those of one class.
    """
    sizes = counts.to(own.targets)
    ratio = (own.targets @ sizes) / (partners.targets @ sizes)
    kept = torch.full_like(ratio, weight)
    if weight < TAU:
        kept = kept.masked_fill(ratio >= KAPPA, 0)
    if 1 - weight < TAU:
        kept = kept.masked_fill(ratio <= 1 / KAPPA, 1)
    return Batch(
        torch.lerp(partners.images, own.images, weight),
        torch.lerp(partners.targets, own.targets, kept[:, None]),
    )
