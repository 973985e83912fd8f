"""Maps of numbers by class: a confusion matrix, and the recalls of several methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imbsynth.figures.drawing import NAMED, blank, name_classes, save

COUNTED = 20  # classes whose numbers still fit into the squares


def write_confusion(path: Path, confusion: NDArray[np.float64], classes: Sequence[str]) -> None:
    """Draw (c, c) counts, rows true: colour is the share of the row, the number the count."""
    side = 2.5 + 0.42 * min(len(classes), NAMED)
    figure = blank(side + 1, side)
    axes = figure.subplots()
    shares = confusion / confusion.sum(1, keepdims=True)
    shown = axes.imshow(shares, vmin=0, vmax=1, cmap="Blues")
    if len(classes) <= COUNTED:
        for row, column in np.argwhere(confusion > 0):
            ink = "white" if shares[row, column] > 0.5 else "black"
            text = f"{confusion[row, column]:.0f}"
            axes.text(column, row, text, ha="center", va="center", color=ink, fontsize="small")
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    name_classes(axes, "x", classes)
    name_classes(axes, "y", classes)
    figure.colorbar(shown, ax=axes, label="share of the true class")
    save(figure, path)


def write_recalls(path: Path, recalls: Mapping[str, Mapping[str, float]]) -> None:
    """Draw {method: {class: recall}} as a map: methods from the left, classes from the top."""
    methods = list(recalls)
    classes = list(recalls[methods[0]])
    values = np.array([[recalls[method][name] for method in methods] for name in classes])
    figure = blank(3 + 0.6 * len(methods), 2.5 + 0.35 * min(len(classes), NAMED))
    axes = figure.subplots()
    shown = axes.imshow(values, vmin=0, vmax=1, aspect="auto", cmap="viridis")
    if len(classes) <= COUNTED:
        for (row, column), value in np.ndenumerate(values):
            ink = "black" if value > 0.6 else "white"
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", color=ink)
    axes.set_title("recall, rarest class first")
    name_classes(axes, "x", methods)
    name_classes(axes, "y", classes)
    figure.colorbar(shown, ax=axes)
    save(figure, path)
