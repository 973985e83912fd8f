"""Reliability diagram: is a classifier right as often as it says?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imbsynth.figures.drawing import blank, save


def write_reliability(
    path: Path,
    count: NDArray[np.int64],
    confidence: NDArray[np.float64],
    accuracy: NDArray[np.float64],
    title: str,
) -> None:
    """Draw the accuracy over the confidence, and below it the number of images, per bin.

    count, confidence, accuracy: (b,) for bins of equal width of [0, 1]; NaN in empty bins.
    """
    edges = np.linspace(0, 1, len(count) + 1)
    middles, width = (edges[1:] + edges[:-1]) / 2, edges[1]
    figure = blank(4.6, 5.4)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    above.bar(middles, np.nan_to_num(accuracy), width, edgecolor="white", label="accuracy")
    above.plot([0, 1], [0, 1], color="0.5", linestyle=":", label="perfectly calibrated")
    above.plot(confidence, accuracy, "k.", label="mean confidence of a bin")
    above.set_ylabel("accuracy")
    above.set_xlim(0, 1)
    above.set_ylim(0, 1)
    above.set_title(title, fontsize="medium")
    above.legend(loc="upper left", fontsize="small")
    below.bar(middles, count, width, color="0.6", edgecolor="white")
    below.set_ylabel("images")
    below.set_xlabel("confidence: probability of the likeliest class")
    save(figure, path)
