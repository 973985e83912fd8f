"""Whether images are nearer to training images than real images that were held out."""

from __future__ import annotations

import torch
from torch import Tensor

from imbsynth.core.pixels import to_unit

VALUES = 1 << 24  # pixels of training images that become floats at once: 64 MiB
EXACT = "donot_use_mm_for_euclid_dist"  # products would round the distance to a copy up from 0


def nearest_distances(images: Tensor, others: Tensor) -> Tensor:
    """(m, ...), (n, ...) uint8 images -> (m,) Euclidean distances to the nearest other.

    In units of the [0, 1] range.
    """
    images, others = to_unit(images).flatten(1), others.flatten(1)
    found = [
        torch.cdist(images, to_unit(block), compute_mode=EXACT).min(1).values
        for block in others.split(max(1, VALUES // others.shape[1]))
    ]
    return torch.stack(found).min(0).values


def median(values: Tensor) -> float:
    """Of n >= 1 numbers; between the two in the middle where n is even."""
    return float(values.double().quantile(0.5))
