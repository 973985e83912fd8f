"""The mean and deviation that a classifier normalises its images with."""

from __future__ import annotations

from math import prod

import torch

from imbsynth.core.batches import Indices, images_at_once
from imbsynth.core.pixels import PixelRows, to_unit
from imbsynth.models.classifiers import Classifier

MOST_AT_ONCE, PIXELS_AT_ONCE = 1000, 1000 * 32 * 32
FLAT = 1e-6  # a channel that deviates less carries nothing


def normalise_by(model: Classifier, pixels: PixelRows, chosen: Indices) -> None:
    """Give the model the mean and deviation of each channel of some of (n, c, h, w) uint8 pixels.

    They are those of the real training images, whatever the oversampling.
    """
    sums = torch.zeros(2, pixels.shape[1], dtype=torch.float64)
    at_once = images_at_once(pixels.shape[2:], MOST_AT_ONCE, PIXELS_AT_ONCE)
    for some in torch.from_numpy(chosen).split(at_once):
        images = to_unit(pixels[some.to(pixels.device)]).double()
        # In place: in float64, images of a batch take eight times their memory.
        sums += torch.stack([images.sum((0, 2, 3)), images.square_().sum((0, 2, 3))]).cpu()
    mean, square = sums / (len(chosen) * prod(pixels.shape[2:]))
    deviation = (square - mean.square()).clamp(min=0).sqrt()
    model.mean.copy_(mean[:, None, None])
    model.deviation.copy_(deviation.where(deviation > FLAT, 1)[:, None, None])
