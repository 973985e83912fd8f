"""Scores of methods over degrees of imbalance."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbsynth.figures.drawing import save, set_title, side_by_side
from imbsynth.store.names import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OVER_SEEDS = "mean and standard deviation over seeds"
DASHES = ("-", "--", ":", "-.")  # of methods beyond the tenth, whose colours repeat
MARKED = 8  # points whose places still fit below an axis


class RobustnessPanel(NamedTuple):
    """Curves of one data set by its degree of imbalance."""

    title: str
    axis: str  # what x is
    log: bool
    x: NDArray[np.float64]  # (p,), rising
    lines: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]  # method: mean, spread (p,)


def write_robustness(path: Path, panels: Sequence[RobustnessPanel], title: str) -> None:
    """Draw curves with a band of one spread to either side; each method has one colour."""
    figure, grid = side_by_side(len(panels), 5.5, 4, margin=0)
    methods = list(dict.fromkeys(method for panel in panels for method in panel.lines))
    shown: dict[str, Any] = {}
    for axes, panel in zip(grid, panels, strict=False):
        for j, method in enumerate(methods):
            if method in panel.lines:
                shown[method] = _curve(axes, panel, method, f"C{j % 10}", DASHES[j // 10 % 4])
        axes.set_title(printable(panel.title), parse_math=False)
        axes.set_xlabel(panel.axis)
        axes.grid(axis="y", color="0.9")
        _mark(axes, panel)
    names = list(map(printable, shown))
    legend = figure.legend(
        list(shown.values()), names, loc="outside lower center", ncols=5, fontsize="small"
    )
    for text in legend.get_texts():
        text.set_parse_math(False)
    set_title(figure, f"{title}, {OVER_SEEDS}", len(grid), len(panels))
    save(figure, path)


def _curve(axes: Axes, panel: RobustnessPanel, method: str, colour: str, dashes: str) -> Any:
    """Draw one line with its band, where there are results; the line."""
    mean, spread = panel.lines[method]
    there = ~np.isnan(mean)
    x, mean, spread = panel.x[there], mean[there], spread[there]
    axes.fill_between(x, mean - spread, mean + spread, color=colour, alpha=0.12, linewidth=0)
    return axes.plot(x, mean, color=colour, linestyle=dashes, marker="o", markersize=4)[0]


def _mark(axes: Axes, panel: RobustnessPanel) -> None:
    """Mark the points below the axis, or, where there are many, 1, 2 and 5."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

    if panel.log:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    if len(panel.x) <= MARKED:
        axes.xaxis.set_major_locator(FixedLocator(panel.x.tolist()))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))
