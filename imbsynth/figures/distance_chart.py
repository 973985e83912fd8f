"""The picture of `fid`: a bar a class, and a map of real and synthetic points a class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbsynth.figures.charts import blank, save
from imbsynth.store.names import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS, MAX_PANELS, MAX_BARS = 5, 25, 60
REAL, FAKE, OTHERS = "#1f6fb2", "#e07b00", "#dddddd"


class Panel(NamedTuple):
    """The points of a class on the map."""

    name: str
    real: NDArray[np.float32]  # (k, 2)
    fake: NDArray[np.float32]  # (k, 2)


class Chart(NamedTuple):
    """What is drawn."""

    label: str  # "FID (inception)"
    pooled: float
    bars: dict[str, float]  # class -> distance
    panels: Sequence[Panel]


def write_chart(path: Path, chart: Chart) -> None:
    """Draw bars above, and below them the same map once for each class, its points coloured."""
    panels = chart.panels[:MAX_PANELS]
    rows = -(-len(panels) // COLUMNS)
    figure = blank(11, 3.6 + 2.3 * rows)
    grid = figure.add_gridspec(1 + rows, COLUMNS, height_ratios=[1.5] + [1] * rows)
    _draw_bars(figure.add_subplot(grid[0, :]), chart)
    everything = [points for panel in panels for points in (panel.real, panel.fake)]
    for index, panel in enumerate(panels):
        axes = figure.add_subplot(grid[1 + index // COLUMNS, index % COLUMNS])
        _draw_panel(axes, panel, np.concatenate(everything))
        if index == 0:
            axes.legend(loc="best", fontsize=7, markerscale=2, framealpha=0.8)
    if len(chart.panels) > len(panels):
        more = len(chart.panels) - len(panels)
        figure.text(0.99, 0.005, f"and {more} more classes", ha="right", fontsize=8)
    save(figure, path)


def _draw_bars(axes: Axes, chart: Chart) -> None:
    names = list(chart.bars)[:MAX_BARS]
    axes.bar(range(len(names)), [chart.bars[name] for name in names], color=REAL, width=0.7)
    axes.axhline(chart.pooled, color=FAKE, linestyle="--", label=f"pooled: {chart.pooled:.4g}")
    axes.set_xticks(range(len(names)), [_label(name) for name in names], rotation=30, ha="right")
    left_out = len(chart.bars) - len(names)
    axes.set_title(f"{chart.label} a class" + (f", {left_out} more left out" * bool(left_out)))
    axes.set_ylabel(chart.label)
    axes.legend()
    axes.spines[["top", "right"]].set_visible(False)


def _draw_panel(axes: Axes, panel: Panel, everything: NDArray[np.float32]) -> None:
    axes.scatter(everything[:, 0], everything[:, 1], s=3, color=OTHERS, linewidths=0)
    fake, real = panel.fake, panel.real
    axes.scatter(fake[:, 0], fake[:, 1], s=7, color=FAKE, linewidths=0, label="synthetic")
    # Rings, so that points of a small class show through synthetic ones that lie on them.
    axes.scatter(real[:, 0], real[:, 1], s=16, facecolors="none", edgecolors=REAL, label="real")
    axes.set_title(_label(panel.name), fontsize=9)
    axes.set_xticks([])
    axes.set_yticks([])


def _label(name: str) -> str:
    return short(name, 16).replace("$", r"\$")  # which matplotlib takes for mathematics
