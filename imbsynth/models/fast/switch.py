"""When the hand-tuned convolutions replace torch's own: decided here and nowhere else.

The limits are those within which they take 0.4 to 0.9 times as long (benchmarks/convolutions.py).
"""

from __future__ import annotations

import os

import torch
from torch import Tensor

from imbsynth.models.fast.filtering import Size

VARIABLE = "IMBSYNTH_FAST"  # of the environment; "0" turns them all off

LARGEST_FILTERED = 8  # pixels a side of the smaller map, forward and backward
LARGEST_FILTERED_FORWARD = 4  # pixels a side of the smaller map, forward alone
LARGEST_TRANSFORMED = 16  # pixels a side of the larger map
FEWEST_CHANNELS = 64  # before and after
FEWEST_IMAGES = 64  # the work on the kernel does not shrink with the batch


def enabled() -> bool:
    """Whether the hand-tuned layers may be used at all."""
    return os.environ.get(VARIABLE) != "0"


def can_filter(channels: tuple[int, int], smaller: Size) -> bool:
    """Whether minimal filtering can pay for a layer, by its channels and its smaller map."""
    return 1 < max(smaller) <= LARGEST_FILTERED and min(channels) >= FEWEST_CHANNELS


def can_transform(channels: tuple[int, int], larger: Size) -> bool:
    """Whether the Fourier transform can pay for a layer, by its channels and its larger map."""
    return max(larger) <= LARGEST_TRANSFORMED and min(channels) >= FEWEST_CHANNELS


def filtering_pays(images: Tensor, smaller: Size) -> bool:
    """Whether minimal filtering pays for this batch, in a layer with that smaller map."""
    small_enough = torch.is_grad_enabled() or max(smaller) <= LARGEST_FILTERED_FORWARD
    return small_enough and pays(images)


def pays(images: Tensor) -> bool:
    """Whether ways with fewer products pay for this batch.

    Not on a GPU, and not in bf16: with fewer products, the rounding of each weighs more.
    """
    if not enabled() or images.device.type != "cpu" or torch.is_autocast_enabled("cpu"):
        return False
    return images.dtype == torch.float32 and len(images) >= FEWEST_IMAGES
