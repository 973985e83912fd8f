"""Maps of numbers by class: a confusion matrix, and the recalls of several methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbsynth.figures.drawing import NAMED, TALLEST, blank, name_classes, save
from imbsynth.store.names import short

FEW = 20  # classes with large squares
LISTED = 5  # pairs of classes that are listed where numbers do not fit into the squares
AROUND = 2.5  # inches for names and titles


class _Squares(NamedTuple):
    """How the squares of a map are drawn."""

    side: float  # inches
    letters: float  # points
    counted: bool  # whether numbers fit into them


def _squares(classes: int) -> _Squares:
    if classes <= FEW:
        return _Squares(0.42, 10, True)
    return _Squares(0.27, 8, True) if classes <= NAMED else _Squares(0.13, 6.5, False)


def write_confusion(path: Path, confusion: NDArray[np.float64], classes: Sequence[str]) -> None:
    """Draw (c, c) counts, rows true: colour is the share of the row, the number the count."""
    squares = _squares(len(classes))
    side = min(AROUND + squares.side * len(classes), TALLEST - 2)
    figure = blank(side + 1, side)
    axes = figure.subplots()
    shares = confusion / confusion.sum(1, keepdims=True)
    # By the root: a share of 0.05 can be told from nothing.
    shown = axes.imshow(np.sqrt(shares), vmin=0, vmax=1, cmap="Blues")
    if squares.counted:
        for row, column in np.argwhere(confusion > 0):
            ink = "white" if shares[row, column] > 0.4 else "black"
            text = f"{confusion[row, column]:.0f}"
            axes.text(
                column, row, text, ha="center", va="center", color=ink, fontsize=squares.letters - 2
            )
    else:
        axes.set_title(_most_confused(confusion, classes), parse_math=False, loc="left")
        axes.tick_params(top=True, right=True, labeltop=True, labelright=True)
        for place in range(10, len(classes), 10):  # to follow a row to its name
            axes.axhline(place - 0.5, color="0.85", linewidth=0.5)
            axes.axvline(place - 0.5, color="0.85", linewidth=0.5)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    room = int(TALLEST / squares.side)
    for axis in ("x", "y"):
        name_classes(axes, axis, classes, room=room, size=squares.letters)
    if not squares.counted:  # the names at the top too
        axes.tick_params("x", rotation=90)
    bar = figure.colorbar(shown, ax=axes, fraction=0.03, pad=0.02, aspect=40)
    bar.set_ticks([share**0.5 for share in TICKS], labels=[str(share) for share in TICKS])
    bar.set_label("share of the true class")
    save(figure, path)


TICKS = (0, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1)


def _most_confused(confusion: NDArray[np.float64], classes: Sequence[str]) -> str:
    """The pairs of classes with the most errors, a line each."""
    errors = confusion * (1 - np.eye(len(classes)))
    order = np.argsort(-errors, axis=None, kind="stable")[:LISTED]
    rows, columns = np.unravel_index(order, errors.shape)
    lines = [
        f"{errors[row, column]:.0f} of {confusion[row].sum():.0f}: {short(classes[row], 40)} "
        f"as {short(classes[column], 40)}"
        for row, column in zip(rows, columns, strict=True)
        if errors[row, column] > 0
    ]
    return "\n".join(["most often confused (images):", *lines]) if lines else "no errors"


def write_recalls(path: Path, recalls: Mapping[str, Mapping[str, float]]) -> None:
    """Draw {method: {class: recall}} as a map: methods from the left, classes from the top."""
    methods = list(recalls)
    classes = list(recalls[methods[0]])
    squares = _squares(len(classes))
    values = np.array([[recalls[method][name] for method in methods] for name in classes])
    height = min(AROUND + 0.8 * squares.side * len(classes), TALLEST)
    figure = blank(3 + 0.6 * len(methods), height)
    axes = figure.subplots()
    shown = axes.imshow(values, vmin=0, vmax=1, aspect="auto", cmap="viridis")
    if squares.counted:
        for (row, column), value in np.ndenumerate(values):
            ink = "black" if value > 0.6 else "white"
            axes.text(
                column,
                row,
                f"{value:.2f}",
                ha="center",
                va="center",
                color=ink,
                fontsize=squares.letters,
            )
    axes.set_title("recall, rarest class first")
    name_classes(axes, "x", methods)
    room = int(TALLEST / squares.side)
    name_classes(axes, "y", classes, room=room, size=squares.letters)
    figure.colorbar(shown, ax=axes)
    save(figure, path)
