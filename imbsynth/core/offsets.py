"""How far images are moved, in a byte per value."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

LEVELS = 127  # an offset is a whole number from -127 to 127 times its image's unit
_SMALLEST = torch.finfo(torch.float32).tiny


class Levels(Protocol):
    """(n, c, h, w) int8: a tensor, or rows that are elsewhere."""

    @property
    def device(self) -> torch.device: ...
    def __len__(self) -> int: ...
    def __getitem__(self, places: Tensor, /) -> Tensor: ...
    def __setitem__(self, places: slice, levels: Tensor, /) -> None: ...


class Offsets:
    """Differences between images and moved images, encoded and applied.

    Each image has a scale of its own, its largest offset: so the error is at most 1/254 of that,
    in whatever norm an attack measures its steps.
    """

    def __init__(self, levels: Levels) -> None:
        """levels: the room for them; images have no offset at first, whatever is in it."""
        self.levels = levels
        # Of a level, in the [0, 1] pixel range.
        self.units = torch.zeros(len(levels), device=levels.device)

    def __len__(self) -> int:
        return len(self.units)

    def encode(self, places: slice, offsets: Tensor) -> None:
        """Keep (n, c, h, w) float offsets in n places."""
        units = offsets.abs().amax((1, 2, 3)) / LEVELS
        levels = offsets / units.clamp(min=_SMALLEST)[:, None, None, None]
        self.units[places] = units.to(self.units.device)
        self.levels[places] = levels.round().to(self.units.device, torch.int8)

    def apply(self, images: Tensor, places: Tensor) -> Tensor:
        """(n, c, h, w) images in [0, 1], moved by the offsets in (n,) int64 places, and clipped."""
        places = places.to(self.units.device)
        units = self.units[places].to(images)[:, None, None, None]
        return (images + self.levels[places].to(images) * units).clamp(0, 1)
