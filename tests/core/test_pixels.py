from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from imbsynth.core.pixels import FetchedRows, to_bytes, to_unit


def test_every_gray_level_survives_the_round_trip() -> None:
    levels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_bytes(to_unit(levels)), levels)


def test_values_beyond_the_range_are_clipped() -> None:
    assert to_bytes(torch.tensor([-0.2, 0.0, 0.5, 1.0, 1.3])).tolist() == [0, 0, 128, 255, 255]


@pytest.mark.parametrize("count", [0, 1, 4, 5])
def test_rows_elsewhere_are_split_as_a_tensor_is(count: int) -> None:
    pixels: Any = np.arange(count * 6, dtype=np.uint8).reshape(count, 1, 2, 3)
    found, expected = list(FetchedRows(pixels).split(2)), torch.from_numpy(pixels).split(2)
    assert len(found) == len(expected)
    assert all(map(torch.equal, found, expected))
