"""Images beside what in them speaks for a class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

COLOURS = "inferno"  # of matplotlib: rises in lightness, so it also reads in gray
OPACITY = 0.6  # of the colours on the image


def overlay(pixels: NDArray[np.uint8], heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A (c, h, w) image in gray under the colours of a map (h, w) in [0, 1] -> (3, h, w)."""
    from matplotlib import colormaps

    gray = pixels.mean(0) / 255
    colours = colormaps[COLOURS](heat)[..., :3].transpose(2, 0, 1)  # (3, h, w) in [0, 1]
    blended = (1 - OPACITY) * gray + OPACITY * colours
    return np.round(255 * blended).astype(np.uint8)
