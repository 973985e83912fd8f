"""The one way between stored pixels and the numbers that networks see."""

from __future__ import annotations

import torch
from torch import Tensor


def to_unit(pixels: Tensor) -> Tensor:
    """uint8 in [0, 255] -> float32 in [0, 1], any shape."""
    return pixels.to(torch.float32) / 255


def to_bytes(images: Tensor) -> Tensor:
    """Floats in [0, 1] (beyond is clipped) -> the nearest uint8 in [0, 255], any shape."""
    return (images.float() * 255).round().clamp(0, 255).to(torch.uint8)
