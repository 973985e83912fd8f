"""TrivialAugment: one strong random change per image, and a square cut out of each.

The images of a batch that drew the same operation are changed together, each by its own magnitude.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from imbsynth.core.augmentation import random_flip_crop

# (m, c, h, w) images in [0, 1] and (m,) magnitudes -> changed images.
Operation = Callable[[Tensor, Tensor], Tensor]

BINS = 31  # magnitudes, from none to the strongest
SHIFT = 32.0  # pixels, the farthest
TURN = 135.0  # degrees, the farthest
STRENGTH = 0.99  # of the other operations: the largest shear, or change of a factor 1
HOLE = 0.5  # of the side, what is cut out (16 of CIFAR's 32 pixels)


class Trivial(NamedTuple):
    """An operation, its magnitude and a place to cut out for each image."""

    operation: NDArray[np.int64]  # (n,) places in `OPERATIONS`
    magnitude: NDArray[np.float64]  # (n,) from -1 to 1, of the strongest
    centre: NDArray[np.int64]  # (n, 2) row and column, in pixels


def random_trivial(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Flip and crop, then TrivialAugment (Wide), then Cutout: the order of the paper on CIFAR."""
    images = random_flip_crop(images, rng)
    drawn = draw_trivial(len(images), (images.shape[2], images.shape[3]), rng)
    return cut_out(trivial(images, drawn), drawn.centre)


def draw_trivial(count: int, size: tuple[int, int], rng: np.random.Generator) -> Trivial:
    """A uniform operation, magnitude and sign, and a uniform pixel of (height, width)."""
    strength = rng.integers(BINS, size=count) / (BINS - 1)
    return Trivial(
        rng.integers(len(OPERATIONS), size=count),
        strength * rng.choice([-1.0, 1.0], count),
        rng.integers(size, size=(count, 2)),
    )


def trivial(images: Tensor, drawn: Trivial) -> Tensor:
    """TrivialAugment with the wide space (Müller and Hutter, 2021, table 1).

    (n, c, h, w) images in [0, 1] -> as many. Departures: shears and rotations are bilinear and
    about the centre; the authors' code takes the nearest pixel, and shears about a corner.
    """
    changed = images.clone()
    for number, operation in enumerate(OPERATIONS.values()):
        places = np.flatnonzero(drawn.operation == number)
        if len(places):
            chosen = torch.from_numpy(places).to(images.device)
            magnitudes = torch.from_numpy(drawn.magnitude[places]).to(images)
            changed[chosen] = operation(images[chosen], magnitudes)
    return changed


def cut_out(images: Tensor, centres: NDArray[np.int64]) -> Tensor:
    """Images without a square around each centre, cut off at the edges (DeVries and Taylor, 2017).

    What is cut out becomes the image's mean in each channel. In the paper it is 0 after
    normalisation: the mean of all images.
    """
    height, width = images.shape[2:]
    centre = torch.from_numpy(centres).to(images.device)
    half = (max(1, round(HOLE * height / 2)), max(1, round(HOLE * width / 2)))
    inside = [
        ((place := torch.arange(side, device=images.device) - centre[:, axis, None]) >= -reach)
        & (place < reach)
        for axis, (side, reach) in enumerate(zip((height, width), half, strict=True))
    ]
    hole = inside[0][:, None, :, None] & inside[1][:, None, None, :]
    return torch.where(hole, images.mean((2, 3), keepdim=True), images)


def identity(images: Tensor, _magnitudes: Tensor) -> Tensor:
    """Nothing."""
    return images


def shear_x(images: Tensor, magnitudes: Tensor) -> Tensor:
    """Rows shifted in proportion to their height, by at most `STRENGTH`."""
    return _moved(images, _turned(magnitudes, shear_x=STRENGTH * magnitudes))


def shear_y(images: Tensor, magnitudes: Tensor) -> Tensor:
    """Columns likewise."""
    return _moved(images, _turned(magnitudes, shear_y=STRENGTH * magnitudes))


def translate_x(images: Tensor, magnitudes: Tensor) -> Tensor:
    """Shifted to the right by whole pixels, at most `SHIFT`."""
    return _moved(images, _turned(magnitudes, right=(SHIFT * magnitudes).trunc()))


def translate_y(images: Tensor, magnitudes: Tensor) -> Tensor:
    """Shifted down, likewise."""
    return _moved(images, _turned(magnitudes, down=(SHIFT * magnitudes).trunc()))


def rotate(images: Tensor, magnitudes: Tensor) -> Tensor:
    """Rotated anticlockwise about the centre, by at most `TURN`."""
    return _moved(images, _turned(magnitudes, degrees=TURN * magnitudes))


def brightness(images: Tensor, magnitudes: Tensor) -> Tensor:
    """Multiplied by 1 + 0.99 m."""
    return _blended(images, torch.zeros_like(images), magnitudes)


def colour(images: Tensor, magnitudes: Tensor) -> Tensor:
    """Farther from gray by the factor 1 + 0.99 m; gray images stay."""
    return _blended(images, _gray(images), magnitudes)


def contrast(images: Tensor, magnitudes: Tensor) -> Tensor:
    """Farther from the mean gray by the factor 1 + 0.99 m."""
    return _blended(images, _gray(images).mean((1, 2, 3), keepdim=True), magnitudes)


def sharpness(images: Tensor, magnitudes: Tensor) -> Tensor:
    """Farther from the smoothed image by the factor 1 + 0.99 m; its edge pixels stay."""
    if min(images.shape[2:]) <= 2:
        return images
    kernel = images.new_ones(3, 3)
    kernel[1, 1] = 5
    kernels = (kernel / kernel.sum()).expand(images.shape[1], 1, 3, 3)
    smooth = images.clone()
    smooth[:, :, 1:-1, 1:-1] = functional.conv2d(images, kernels, groups=images.shape[1])
    return _blended(images, smooth, magnitudes)


def posterize(images: Tensor, magnitudes: Tensor) -> Tensor:
    """8 to 2 bits per channel."""
    levels = 2 ** (8 - (6 * magnitudes.abs()).round())[:, None, None, None]
    # In steps of gray levels, as on 8-bit images: the lower bits are zero.
    steps = 256 / levels
    return (images * 255).round().div(steps).floor() * steps / 255


def solarize(images: Tensor, magnitudes: Tensor) -> Tensor:
    """Inverted where it is at least 1 - m."""
    threshold = (1 - magnitudes.abs())[:, None, None, None]
    return torch.where(images >= threshold, 1 - images, images)


def autocontrast(images: Tensor, _magnitudes: Tensor) -> Tensor:
    """Each channel stretched to [0, 1]."""
    low, high = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
    span = high - low
    return torch.where(span > 0, (images - low) / span.where(span > 0, 1), images)


def equalize(images: Tensor, _magnitudes: Tensor) -> Tensor:
    """Each channel mapped so that its histogram of 256 levels is nearly flat, as Pillow does."""
    levels = (images * 255).round().long().flatten(2)  # (m, c, pixels)
    counts = levels.new_zeros(*levels.shape[:2], 256)
    counts.scatter_add_(2, levels, torch.ones_like(levels))
    top = 255 - (counts.flip(2) > 0).long().argmax(2, keepdim=True)  # the highest level in use
    step = (levels.shape[2] - counts.gather(2, top)) // 255
    below = counts.cumsum(2) - counts
    table = ((below + step // 2) // step.clamp(min=1)).clamp(0, 255)
    equal = (table.gather(2, levels).to(images) / 255).view_as(images)
    return torch.where(step[..., None] == 0, images, equal)


OPERATIONS: dict[str, Operation] = {
    operation.__name__: operation
    for operation in (
        *(identity, shear_x, shear_y, translate_x, translate_y, rotate),
        *(brightness, colour, contrast, sharpness, posterize, solarize, autocontrast, equalize),
    )
}


def _gray(images: Tensor) -> Tensor:
    """(m, 1, h, w): luma, with the weights of ITU-R 601-2; gray images as they are."""
    if images.shape[1] == 1:
        return images
    return (images * images.new_tensor([0.2989, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)


def _blended(images: Tensor, other: Tensor, magnitudes: Tensor) -> Tensor:
    factors = (1 + STRENGTH * magnitudes)[:, None, None, None]
    return (other + factors * (images - other)).clamp(0, 1)


def _turned(like: Tensor, **by: Tensor) -> Tensor:
    """(m, 2, 3): where a pixel of the result comes from, in pixels about the centre.

    by: `degrees`, `shear_x`, `shear_y`, or `right` and `down` in pixels, each (m,).
    """
    zero = torch.zeros_like(like)
    angle = torch.deg2rad(by.get("degrees", zero))
    x = [angle.cos(), by.get("shear_x", zero) - angle.sin(), -by.get("right", zero)]
    y = [by.get("shear_y", zero) + angle.sin(), angle.cos(), -by.get("down", zero)]
    return torch.stack([torch.stack(x, 1), torch.stack(y, 1)], 1)


def _moved(images: Tensor, sources: Tensor) -> Tensor:
    """Images whose pixels come from `sources`, bilinear; outside is black."""
    height, width = images.shape[2:]
    # From pixels to coordinates that run from -1 to 1 along either side.
    scale = sources.new_tensor([[1, height / width, 2 / width], [width / height, 1, 2 / height]])
    grid = functional.affine_grid(sources * scale, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, align_corners=False)
