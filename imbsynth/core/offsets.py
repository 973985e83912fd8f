"""How far images are moved, in a byte per value."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

LEVELS = 127  # an offset is a whole number from -127 to 127 times its image's unit
_SMALLEST = torch.finfo(torch.float32).tiny


class Offsets:
    """Differences between images and moved images, encoded and applied.

    Each image has a scale of its own, its largest offset: so the error is at most 1/254 of that,
    in whatever norm an attack measures its steps.
    """

    def __init__(self, count: int, shape: Sequence[int], device: torch.device) -> None:
        """Room for the offsets of `count` images of (c, h, w) on `device`, zeros at first."""
        self.levels = torch.zeros((count, *shape), dtype=torch.int8, device=device)
        self.units = torch.zeros(count, device=device)  # of a level, in the [0, 1] pixel range

    def __len__(self) -> int:
        return len(self.units)

    def encode(self, places: slice, offsets: Tensor) -> None:
        """Keep (n, c, h, w) float offsets in n places."""
        units = offsets.abs().amax((1, 2, 3)) / LEVELS
        levels = offsets / units.clamp(min=_SMALLEST)[:, None, None, None]
        self.units[places] = units.to(self.units.device)
        self.levels[places] = levels.round().to(self.levels)

    def apply(self, images: Tensor, places: Tensor) -> Tensor:
        """(n, c, h, w) images in [0, 1], moved by the offsets in (n,) int64 places, and clipped."""
        places = places.to(self.levels.device)
        units = self.units[places].to(images)[:, None, None, None]
        return (images + self.levels[places].to(images) * units).clamp(0, 1)
