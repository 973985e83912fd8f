"""Scores of methods with their intervals."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from imbsynth.figures.drawing import blank, name_classes, save


def write_intervals(
    path: Path, scores: Mapping[str, tuple[float, float, float]], title: str
) -> None:
    """Draw {method: (score, low, high)}, methods from the top."""
    methods = list(scores)
    value, low, high = np.array([scores[method] for method in methods]).T
    figure = blank(7, 1.2 + 0.35 * len(methods))
    axes = figure.subplots()
    axes.errorbar(value, range(len(methods)), xerr=(value - low, high - value), fmt="o", capsize=3)
    axes.set_ylim(len(methods) - 0.5, -0.5)
    axes.grid(axis="x", color="0.9")
    axes.set_title(title)
    name_classes(axes, "y", methods)
    save(figure, path)
