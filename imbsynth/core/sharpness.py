"""How sharp and how noisy images are: numbers that see how an image was made, not what is on it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]  # (n, c, h, w)
Values = NDArray[np.float64]

BATCH = 500
NOISE_SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)  # of the pixels, at which the noise is read
ROUNDING = 1e-4  # added before a logarithm: what rounding to gray levels makes of a zero


def rings(pixels: Pixels) -> Values:
    """(n, c, h, w) uint8 -> (n, k) mean power of each ring of frequencies, channels averaged."""
    height, width = pixels.shape[2:]
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    ring = np.minimum(frequency * min(height, width), min(height, width) // 2).round().astype(int)
    size = np.bincount(ring.ravel())
    found = []
    for start in range(0, len(pixels), BATCH):
        gray = pixels[start : start + BATCH].mean(1) / 255
        power = (np.abs(np.fft.rfft2(gray)) ** 2).reshape(len(gray), -1)
        found.append([np.bincount(ring.ravel(), row) / size for row in power])
    return np.concatenate(found)


def log_spectrum(pixels: Pixels) -> Values:
    """(n, k) logarithms of the rings, without the mean brightness."""
    return np.log(rings(pixels)[:, 1:] + ROUNDING)


def laplacian_variance(pixels: Pixels) -> Values:
    """(n, c, h, w) uint8 -> (n,): how much a pixel differs from its four neighbors."""
    gray = pixels.mean(1) / 255
    centre = gray[:, 1:-1, 1:-1]
    around = gray[:, :-2, 1:-1] + gray[:, 2:, 1:-1] + gray[:, 1:-1, :-2] + gray[:, 1:-1, 2:]
    return (around - 4 * centre).var((1, 2))


def noise(pixels: Pixels) -> Values:
    """(n, c, h, w) uint8 -> (n, 5) logarithms of the noise that a tenth, a quarter, ... of an
    image's pixels stay below.

    By the mask of Immerkaer (1996, "Fast Noise Variance Estimation"), [1 -2 1] times its transpose,
    which is 0 on planes and on straight edges along the axes.
    """
    gray = pixels.mean(1) / 255
    across = gray[:, :, :-2] - 2 * gray[:, :, 1:-1] + gray[:, :, 2:]
    found = np.abs(across[:, :-2] - 2 * across[:, 1:-1] + across[:, 2:]).reshape(len(gray), -1)
    return np.log(np.quantile(found, NOISE_SHARES, axis=1).T + ROUNDING)


def blur(pixels: Pixels) -> Values:
    """(n, 1) logarithm of the variance of the Laplacian."""
    return np.log(laplacian_variance(pixels) + ROUNDING)[:, None]


# What a probe may see, by the name that a report gives it: (n, c, h, w) uint8 -> (n, k).
TRACES: dict[str, Callable[[Pixels], Values]] = {
    "blur": blur,
    "frequency": log_spectrum,
    "noise": noise,
}
