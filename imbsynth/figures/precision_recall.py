"""Precision over recall, a curve per class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbsynth.figures.drawing import blank, save
from imbsynth.store.names import short

NAMED_CURVES = 10  # as many as there are colours; further ones are thin and gray


class Curve(NamedTuple):
    """A class at all thresholds of its probability."""

    name: str
    recall: NDArray[np.float64]  # (t,) falling
    precision: NDArray[np.float64]  # (t,)
    at: tuple[float, float]  # recall and precision of the predictions


def write_precision_recall(path: Path, curves: Sequence[Curve]) -> None:
    """Draw the curves, those to be named first, with a dot where the predictions are."""
    figure = blank(7.2, 4.8)
    axes = figure.subplots()
    for order, curve in reversed(list(enumerate(curves))):
        named = order < NAMED_CURVES
        colour, width = (f"C{order}", 1.5) if named else ("0.8", 0.8)
        axes.step(curve.recall, curve.precision, where="post", color=colour, linewidth=width)
        if named:
            axes.plot(*curve.at, "o", color=colour)
    for order, curve in enumerate(curves[:NAMED_CURVES]):
        axes.plot([], [], "o-", color=f"C{order}", label=_label(curve.name))
    axes.set_xlabel("recall")
    axes.set_ylabel("precision")
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_title("one class against the rest, rarest first; dots: the predictions")
    axes.grid(color="0.9")
    legend = axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize="small")
    for text in legend.get_texts():
        text.set_parse_math(False)
    save(figure, path)


def _label(name: str) -> str:
    """A label that begins with "_" would be left out of the legend."""
    return f" {short(name, 32)}"
