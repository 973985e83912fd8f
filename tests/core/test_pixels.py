from __future__ import annotations

import torch

from imbsynth.core.pixels import to_bytes, to_unit


def test_every_gray_level_survives_the_round_trip() -> None:
    levels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_bytes(to_unit(levels)), levels)


def test_values_beyond_the_range_are_clipped() -> None:
    assert to_bytes(torch.tensor([-0.2, 0.0, 0.5, 1.0, 1.3])).tolist() == [0, 0, 128, 255, 255]
