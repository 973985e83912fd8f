"""Changes to training images that a generator is told of, so that it does not make them itself."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbsynth.core.augmentation import DEGREES, SCALE, SHIFT, Affine, affine, draw_affine

AFFECTED = 0.5  # the share of the images that are moved, and of those that are mirrored
NUMBERS = 5  # that describe a change: angle, scale, shift right and down, mirrored


class Changes(NamedTuple):
    """What is done to each image."""

    affine: Affine  # 0 degrees, scale 1 and no shift where nothing is done
    flip: NDArray[np.bool_]  # (n,)

    def some(self, rows: slice) -> Changes:
        """Those of some of the images."""
        return Changes(Affine(*(values[rows] for values in self.affine)), self.flip[rows])


def draw_changes(count: int, rng: np.random.Generator, *, flip: bool) -> Changes:
    """A small random rotation, scale and shift for half of the images; mirrors half if asked to."""
    moved, mirrored = rng.random((2, count)) < AFFECTED
    drawn = draw_affine(count, rng)
    kept = Affine(
        np.where(moved, drawn.angle, 0),
        np.where(moved, drawn.scale, 1),
        np.where(moved[:, None], drawn.shift, 0),
    )
    return Changes(kept, mirrored & flip)


def changed(images: Tensor, drawn: Changes) -> Tensor:
    """The (n, c, h, w) images, mirrored left to right, then moved; outside is black."""
    flip = torch.from_numpy(drawn.flip).to(images.device)
    mirrored = torch.where(flip[:, None, None, None], images.flip(3), images)
    return affine(mirrored, drawn.affine)


def described(drawn: Changes) -> NDArray[np.float32]:
    """(n, NUMBERS) in [-1, 1], all 0 for an image as it is.

    Given to the network in training, and set to 0 for what it generates: augmentation that does not
    leak (Karras et al., NeurIPS 2022, appendix F.2). There each change is made to 12 % of the
    images; half of them are moved here, because rare classes have few.
    """
    angle, scale, shift = drawn.affine
    columns = [
        angle / np.deg2rad(DEGREES),
        (scale - 1) / SCALE,
        shift[:, 0] / SHIFT,
        shift[:, 1] / SHIFT,
        drawn.flip,
    ]
    return np.stack(columns, 1).astype(np.float32)
