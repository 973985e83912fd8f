from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as reference

from imbsynth.core.augmentation import (
    Affine,
    FlipCrop,
    affine,
    draw_affine,
    draw_flip_crop,
    flip_crop,
    padding,
)


def pictures(count: int, channels: int, height: int, width: int) -> torch.Tensor:
    rng = np.random.default_rng(0)
    return torch.from_numpy(rng.random((count, channels, height, width), dtype=np.float32))


def test_nothing_drawn_changes_nothing() -> None:
    images = pictures(3, 3, 9, 7)
    still = Affine(np.zeros(3), np.ones(3), np.zeros((3, 2)))
    torch.testing.assert_close(affine(images, still), images, atol=1e-5, rtol=0)
    pad_y, pad_x = padding((9, 7))
    centred = FlipCrop(np.zeros(3, bool), np.full(3, pad_y), np.full(3, pad_x))
    assert torch.equal(flip_crop(images, centred), images)


def test_a_shift_by_whole_pixels_moves_the_picture() -> None:
    images = pictures(1, 1, 4, 8)
    drawn = Affine(np.zeros(1), np.ones(1), np.array([[2 / 8, 1 / 4]]))  # two right, one down
    moved = affine(images, drawn)
    expected = torch.zeros_like(images)
    expected[:, :, 1:, 2:] = images[:, :, :-1, :-2]
    torch.testing.assert_close(moved, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (12, 20)])
def test_rotation_and_scale_are_those_of_torchvision(height: int, width: int) -> None:
    images = pictures(1, 3, height, width)
    for degrees, scale in ((7.0, 1.0), (-10.0, 0.9), (3.0, 1.1)):
        drawn = Affine(np.array([np.deg2rad(degrees)]), np.array([scale]), np.zeros((1, 2)))
        expected = reference.affine(
            images, degrees, [0, 0], scale, [0.0], InterpolationMode.BILINEAR
        )
        torch.testing.assert_close(affine(images, drawn), expected, atol=1e-4, rtol=0)


def test_a_crop_is_cut_out_of_the_padded_picture_and_reflected() -> None:
    images = pictures(2, 3, 16, 8)
    drawn = FlipCrop(np.array([False, True]), np.array([0, 3]), np.array([2, 1]))
    padded = torch.nn.functional.pad(images, (1, 1, 2, 2))
    first = padded[0, :, 0:16, 2:10]
    second = padded[1].flip(2)[:, 3:19, 1:9]
    torch.testing.assert_close(flip_crop(images, drawn), torch.stack([first, second]))


def test_draws_are_in_range_and_repeat() -> None:
    rng = np.random.default_rng(1)
    drawn = draw_affine(1000, rng)
    assert np.abs(drawn.angle).max() <= np.deg2rad(10)
    assert 0.9 <= drawn.scale.min() <= drawn.scale.max() <= 1.1
    assert np.abs(drawn.shift).max() <= 0.08
    crops = draw_flip_crop(1000, (32, 28), rng)
    assert set(crops.top.tolist()) == set(range(9))
    assert set(crops.left.tolist()) == set(range(9))  # 4 pixels of 28, rounded
    assert 400 < crops.flip.sum() < 600
    again = draw_affine(1000, np.random.default_rng(1))
    assert all(np.array_equal(a, b) for a, b in zip(drawn, again, strict=True))
