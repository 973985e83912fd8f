from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from imbsynth.core.offsets import LEVELS, Offsets


@given(scale=st.floats(1e-6, 1), seed=st.integers(0, 2**32 - 1))
def test_each_image_keeps_its_own_precision(scale: float, seed: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    images = torch.full((3, 1, 4, 4), 0.5)
    moves = (torch.rand(images.shape, generator=rng) - 0.5) * torch.tensor([scale, 1, 0.01])[
        :, None, None, None
    ]
    kept = Offsets(torch.ones(images.shape, dtype=torch.int8))
    kept.encode(slice(0, 3), moves)
    found = kept.apply(images, torch.arange(3)) - images
    error = (found - moves).abs().amax((1, 2, 3))
    assert (error <= moves.abs().amax((1, 2, 3)) / (2 * LEVELS) + 1e-7).all()


def test_images_are_clipped_and_those_without_offset_stay() -> None:
    kept = Offsets(torch.ones((2, 1, 1, 2), dtype=torch.int8))
    kept.encode(slice(0, 1), torch.tensor([0.3, -0.3]).reshape(1, 1, 1, 2))
    images = torch.tensor([[0.9, 0.1], [0.9, 0.1]]).reshape(2, 1, 1, 2)
    moved = kept.apply(images, torch.tensor([0, 1]))
    assert moved[0].flatten().tolist() == [1.0, 0.0]
    assert torch.equal(moved[1], images[1])
