"""Curves of a training run by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imbsynth.figures.drawing import NAMED, blank, name_classes, save


def write_curves(
    path: Path,
    curves: Mapping[str, Mapping[str, Sequence[float]]],
    recalls: NDArray[np.float64],
    classes: Sequence[str],
    best_epoch: int,
) -> None:
    """Draw a panel of lines for each entry of `curves`, and the recall of each class by epoch.

    recalls: (epochs, c) in [0, 1], the classes in the order of the rows drawn, from the top.
    """
    tall = 0.22 * min(max(len(classes), 10), NAMED)
    figure = blank(5 * (len(curves) + 1), 2.3 + tall)
    *panels, last = figure.subplots(1, len(curves) + 1)
    epochs = np.arange(1, len(recalls) + 1)
    for axes, (title, lines) in zip(panels, curves.items(), strict=True):
        for name, values in lines.items():
            axes.plot(epochs, values, label=name, marker="." if len(epochs) < 40 else "")
        axes.axvline(best_epoch, color="0.6", linestyle=":", label=f"kept: epoch {best_epoch}")
        axes.set_title(title)
        below = (0.5, -0.45 / (0.8 + tall))  # in parts of the panel; there it hides no line
        axes.legend(fontsize="small", loc="upper center", bbox_to_anchor=below)
    edges = (0.5, len(epochs) + 0.5, len(classes) - 0.5, -0.5)
    shown = last.imshow(recalls.T, vmin=0, vmax=1, aspect="auto", extent=edges, cmap="viridis")
    last.axvline(best_epoch, color="white", linestyle=":")
    last.set_title("recall on the validation images, rarest class last")
    for axes in (*panels, last):
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)  # no epoch 1.5
    name_classes(last, "y", classes)
    figure.colorbar(shown, ax=last)
    save(figure, path)
