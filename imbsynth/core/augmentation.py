"""Small random changes to batches of images: what is done is drawn first, then computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

# (n, c, h, w) images in [0, 1] and a generator -> images of the same shape.
Augmentation = Callable[[Tensor, np.random.Generator], Tensor]

DEGREES = 10.0  # rotation, either way
SCALE = 0.1  # enlargement or reduction at most, as a fraction
SHIFT = 0.08  # of the height or width, either way
CROP = 0.125  # of the side, the padding that a crop may reach into (4 of CIFAR's 32 pixels)


class Affine(NamedTuple):
    """A rotation, scale and shift for each image."""

    angle: NDArray[np.float64]  # (n,) radians
    scale: NDArray[np.float64]  # (n,) a factor about 1
    shift: NDArray[np.float64]  # (n, 2) x and y, as fractions of width and height


class FlipCrop(NamedTuple):
    """A reflection and a place in the padded image for each image."""

    flip: NDArray[np.bool_]  # (n,)
    top: NDArray[np.int64]  # (n,) pixels, 0 is the upper edge of the padding
    left: NDArray[np.int64]  # (n,)


def random_affine(images: Tensor, rng: np.random.Generator) -> Tensor:
    """`affine` by a small random rotation, scale and shift."""
    return affine(images, draw_affine(len(images), rng))


def random_flip_crop(images: Tensor, rng: np.random.Generator) -> Tensor:
    """`flip_crop` by a fair coin and at a uniform place."""
    size = (images.shape[2], images.shape[3])
    return flip_crop(images, draw_flip_crop(len(images), size, rng))


def draw_affine(count: int, rng: np.random.Generator) -> Affine:
    """Uniform rotation, scale and shift for `count` images."""
    return Affine(
        np.deg2rad(rng.uniform(-DEGREES, DEGREES, count)),
        rng.uniform(1 - SCALE, 1 + SCALE, count),
        rng.uniform(-SHIFT, SHIFT, (count, 2)),
    )


def affine(images: Tensor, drawn: Affine) -> Tensor:
    """Rotate, scale and shift (n, c, h, w) images about their centre; outside is black.

    Bilinear. The angle is true in pixels whatever the aspect ratio.
    """
    height, width = images.shape[2:]
    cos, sin = np.cos(drawn.angle) / drawn.scale, np.sin(drawn.angle) / drawn.scale
    # From output to input coordinates, which run from -1 to 1 along either side.
    x = np.stack([cos, sin * height / width, -2 * drawn.shift[:, 0]], 1)
    y = np.stack([-sin * width / height, cos, -2 * drawn.shift[:, 1]], 1)
    theta = torch.from_numpy(np.stack([x, y], 1)).to(images)
    grid = functional.affine_grid(theta, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, align_corners=False)


def draw_flip_crop(count: int, size: tuple[int, int], rng: np.random.Generator) -> FlipCrop:
    """A fair coin and a uniform place for `count` images of (height, width) pixels."""
    pad_y, pad_x = padding(size)
    return FlipCrop(
        rng.random(count) < 0.5,
        rng.integers(2 * pad_y + 1, size=count),
        rng.integers(2 * pad_x + 1, size=count),
    )


def flip_crop(images: Tensor, drawn: FlipCrop) -> Tensor:
    """Reflect (n, c, h, w) images left to right, pad them with black, and crop to their size."""
    height, width = images.shape[2:]
    pad_y, pad_x = padding((height, width))
    rows = drawn.top[:, None] + np.arange(height)  # (n, h), of the padded image
    columns = drawn.left[:, None] + np.arange(width)
    columns = np.where(drawn.flip[:, None], width - 1 + 2 * pad_x - columns, columns)
    padded = functional.pad(images, (pad_x, pad_x, pad_y, pad_y)).permute(0, 2, 3, 1)
    place = torch.from_numpy(rows[:, :, None] * padded.shape[2] + columns[:, None, :])
    place = place.to(images.device).flatten(1)  # (n, h * w) pixels of the padded image
    flat = padded.flatten(1, 2).gather(1, place[:, :, None].expand(-1, -1, images.shape[1]))
    return flat.unflatten(1, (height, width)).permute(0, 3, 1, 2)


def padding(size: tuple[int, int]) -> tuple[int, int]:
    """Pixels above and below, left and right, for (height, width)."""
    return max(1, round(CROP * size[0])), max(1, round(CROP * size[1]))
