"""The one conversion between stored pixels and the numbers that networks take."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def to_unit(pixels: Tensor) -> Tensor:
    """uint8 in [0, 255] -> float32 in [0, 1], any shape."""
    return pixels.to(torch.float32) / 255


def network_input(pixels: Tensor, device: torch.device) -> Tensor:
    """(n, c, h, w) uint8 -> float32 in [0, 1] on the device, laid out for its convolutions."""
    return to_unit(pixels.to(device)).contiguous(memory_format=torch.channels_last)


def to_bytes(images: Tensor) -> Tensor:
    """Floats in [0, 1] (beyond is clipped) -> the nearest uint8 in [0, 255], any shape."""
    return (images.float() * 255).round().clamp(0, 255).to(torch.uint8)


def stacked(images: Sequence[NDArray[np.uint8]], channels: int | None = None) -> Tensor:
    """n uint8 images of one size, (h, w) gray or (h, w, 3) colour -> (n, c, h, w).

    Gray is repeated where `channels` is 3.
    """
    arrays = [image[None] if image.ndim == 2 else image.transpose(2, 0, 1) for image in images]
    if channels == 3:
        arrays = [np.broadcast_to(array, (3, *array.shape[1:])) for array in arrays]
    return torch.from_numpy(np.stack(arrays))
