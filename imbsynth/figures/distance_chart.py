"""The picture of `fid`: for each class a bar, and a map of its real and synthetic images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbsynth.figures.drawing import blank, save
from imbsynth.store.names import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS, MAX_PANELS, MAX_BARS = 5, 25, 60
TURNED_FROM = 15  # bars whose names would cover each other if they were not upright
REAL, FAKE, OTHERS = "#1f6fb2", "#e07b00", "#dddddd"


class ClassPoints(NamedTuple):
    """The images of a class on the map."""

    name: str
    real: NDArray[np.float32]  # (k, 2)
    fake: NDArray[np.float32]  # (k, 2)


class Chart(NamedTuple):
    """What is drawn."""

    label: str  # "FID (inception)"
    pooled: float
    bars: dict[str, float]  # class -> distance
    classes: Sequence[ClassPoints]


def write_chart(path: Path, chart: Chart) -> None:
    """Draw bars above, and below them the same map once for each class, its points coloured."""
    classes = chart.classes[:MAX_PANELS]
    rows = -(-len(classes) // COLUMNS)
    figure = blank(11, 3.6 + 2.3 * rows)
    grid = figure.add_gridspec(1 + rows, COLUMNS, height_ratios=[1.5] + [1] * rows)
    _draw_bars(figure.add_subplot(grid[0, :]), chart)
    everything = [points for one in classes for points in (one.real, one.fake)]
    for index, one in enumerate(classes):
        axes = figure.add_subplot(grid[1 + index // COLUMNS, index % COLUMNS])
        _draw_map(axes, one, np.concatenate(everything))
        if index == 0:
            axes.legend(loc="best", fontsize=7, markerscale=2, framealpha=0.8)
    more = len(chart.classes) - len(classes)
    if more:
        figure.text(0.99, 0.005, f"and {more} more classes", ha="right", fontsize=8)
    save(figure, path)


def _draw_bars(axes: Axes, chart: Chart) -> None:
    names = list(chart.bars)[:MAX_BARS]
    axes.bar(range(len(names)), [chart.bars[name] for name in names], color=REAL, width=0.7)
    axes.axhline(chart.pooled, color=FAKE, linestyle="--", label=f"pooled: {chart.pooled:.4g}")
    turn: dict[str, Any] = {"rotation": 30, "ha": "right"}
    if len(names) > TURNED_FROM:
        turn = {"rotation": 90, "fontsize": 8}
    axes.set_xticks(range(len(names)), [_label(name) for name in names], **turn)
    left_out = len(chart.bars) - len(names)
    axes.set_title(f"{chart.label} per class" + (f", {left_out} more left out" if left_out else ""))
    axes.set_ylabel(chart.label)
    axes.legend()
    axes.spines[["top", "right"]].set_visible(False)


def _draw_map(axes: Axes, points: ClassPoints, everything: NDArray[np.float32]) -> None:
    axes.scatter(everything[:, 0], everything[:, 1], s=3, color=OTHERS, linewidths=0)
    fake, real = points.fake, points.real
    axes.scatter(fake[:, 0], fake[:, 1], s=7, color=FAKE, linewidths=0, label="synthetic")
    # Rings, so that real points stay visible under synthetic ones.
    axes.scatter(real[:, 0], real[:, 1], s=16, facecolors="none", edgecolors=REAL, label="real")
    axes.set_title(_label(points.name), fontsize=9)
    axes.set_xticks([])
    axes.set_yticks([])


def _label(name: str) -> str:
    return short(name, 16).replace("$", r"\$")  # matplotlib takes it for mathematics
