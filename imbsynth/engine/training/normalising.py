"""The mean and deviation that a classifier normalises its images with."""

from __future__ import annotations

from math import prod

import torch

from imbsynth.core.batches import Indices, images_at_once
from imbsynth.core.pixels import PixelRows, to_unit
from imbsynth.models.classifiers import Classifier

MOST_AT_ONCE, PIXELS_AT_ONCE = 1000, 1000 * 32 * 32
VALUES = 256  # of a pixel
FLAT = 1e-6  # a channel that deviates less carries nothing


def normalise_by(model: Classifier, pixels: PixelRows, chosen: Indices) -> None:
    """Give the model the mean and deviation of each channel of some of (n, c, h, w) uint8 pixels.

    They are those of the real training images, whatever the oversampling.
    """
    counts = torch.zeros(pixels.shape[1], VALUES, dtype=torch.int64)  # so that sums are exact
    at_once = images_at_once(pixels.shape[2:], MOST_AT_ONCE, PIXELS_AT_ONCE)
    for some in torch.from_numpy(chosen).split(at_once):
        channels = pixels[some.to(pixels.device)].unbind(1)
        counts += torch.stack([one.flatten().bincount(minlength=VALUES) for one in channels]).cpu()
    values = to_unit(torch.arange(VALUES)).double()
    shares = counts / (len(chosen) * prod(pixels.shape[2:]))
    mean = (shares * values).sum(1, keepdim=True)
    deviation = (shares * (values - mean).square()).sum(1, keepdim=True).sqrt()
    model.mean.copy_(mean[:, :, None])
    model.deviation.copy_(deviation.where(deviation > FLAT, 1)[:, :, None])
