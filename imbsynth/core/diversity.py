"""How different images of a class are from each other."""

from __future__ import annotations

import torch
from torch import Tensor


def mean_distance(images: Tensor) -> float:
    """(n, ...) -> the mean Euclidean distance of two of n >= 2 images; 0 if all are the same."""
    if len(images) < 2:
        raise ValueError("a single image has no distance to another")
    return float(torch.pdist(images.flatten(1).double()).mean())
