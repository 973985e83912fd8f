"""Figures with axes: curves of a run, a confusion matrix, scores over problems."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbsynth.store.names import printable, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 110
NAMED = 40  # classes whose names still fit beside an axis
COUNTED = 20  # classes whose counts still fit into the cells
ABREAST = 3  # panels in a row
OVER_SEEDS = "mean and standard deviation over seeds"
LISTED = 150  # methods beside a panel that grows with them
TALLEST = 60  # inches; at 2^16 pixels there is no picture at all
DASHES = ("-", "--", ":", "-.")  # of methods beyond the tenth, whose colours come again
MARKED = 8  # points whose places still fit below an axis


class Panel(NamedTuple):
    """Curves of one data set over how imbalanced it is."""

    title: str
    axis: str  # what x is
    log: bool
    x: NDArray[np.float64]  # (p,), rising
    lines: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]  # method: mean, spread (p,)


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
    figure = blank(5 * (len(curves) + 1), 1.5 + 0.22 * min(max(len(classes), 10), NAMED))
    *panels, last = figure.subplots(1, len(curves) + 1)
    epochs = np.arange(1, len(recalls) + 1)
    for axes, (title, lines) in zip(panels, curves.items(), strict=True):
        for name, values in lines.items():
            axes.plot(epochs, values, label=name, marker="." if len(epochs) < 40 else "")
        axes.axvline(best_epoch, color="0.6", linestyle=":", label=f"kept: epoch {best_epoch}")
        axes.set_title(title)
        axes.set_xlabel("epoch")
        axes.legend(fontsize="small")
    edges = (0.5, len(epochs) + 0.5, len(classes) - 0.5, -0.5)
    shown = last.imshow(recalls.T, vmin=0, vmax=1, aspect="auto", extent=edges, cmap="viridis")
    last.axvline(best_epoch, color="white", linestyle=":")
    last.set_title("recall on the validation images, rarest class last")
    last.set_xlabel("epoch")
    _name(last, "y", classes)
    figure.colorbar(shown, ax=last)
    save(figure, path)


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
    _name(axes, "x", classes)
    _name(axes, "y", classes)
    figure.colorbar(shown, ax=axes, label="share of the true class")
    save(figure, path)


def write_spreads(
    path: Path,
    mean: NDArray[np.float64],
    reach: NDArray[np.float64],
    problems: Sequence[str],
    methods: Sequence[str],
    title: str,
) -> None:
    """Draw (n, k) means as dots with bars, a panel a problem.

    reach: (2, n, k), how far the bars go to the left and to the right. The methods stand from the
    top in the order given; those beyond LISTED are left out.
    """
    names = [short(method, 32) for method in methods[:LISTED]]
    figure, grid = _abreast(len(problems), 3.5, 0.9 + 0.24 * max(len(names), 3), margin=1.8)
    rows = np.arange(len(names))
    for i, axes in enumerate(grid):
        axes.errorbar(
            mean[i, rows], rows, xerr=reach[:, i, rows], fmt="o", markersize=5, capsize=3, lw=1
        )
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_yticks(rows, names if i % ABREAST == 0 else [], parse_math=False)
        axes.set_title(short(problems[i], 40), parse_math=False, fontsize="medium")
        axes.grid(color="0.9")
        axes.set_axisbelow(True)
    _entitle(figure, title, len(grid), len(problems))
    save(figure, path)


def write_robustness(path: Path, panels: Sequence[Panel], title: str) -> None:
    """Draw curves with a band of one spread to either side; a method looks alike in all panels."""
    figure, grid = _abreast(len(panels), 5.5, 4, margin=0)
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
    _entitle(figure, f"{title}, {OVER_SEEDS}", len(grid), len(panels))
    save(figure, path)


def _abreast(
    count: int, width: float, height: float, *, margin: float
) -> tuple[Figure, list[Axes]]:
    """A figure with a panel for each of `count`, of so many inches, ABREAST in a row.

    margin: inches beside the panels. Beyond what makes a figure TALLEST, there are fewer panels.
    """
    most = max(int(TALLEST / height), 1)
    rows, columns = min(-(-count // ABREAST), most), min(count, ABREAST)
    figure = blank(width * columns + margin, height * rows + 1)
    grid = figure.subplots(rows, columns, squeeze=False).flatten().tolist()
    for axes in grid[count:]:
        axes.remove()
    return figure, grid[:count]


def _entitle(figure: Figure, title: str, drawn: int, count: int) -> None:
    """Say above all panels what is drawn, and how many of them if not all are."""
    part = f" (the first {drawn} of {count})" if drawn < count else ""
    figure.suptitle(title + part)


def _curve(axes: Axes, panel: Panel, method: str, colour: str, dashes: str) -> Any:
    """Draw one line with its band, where there are results; the line."""
    mean, spread = panel.lines[method]
    there = ~np.isnan(mean)
    x, mean, spread = panel.x[there], mean[there], spread[there]
    axes.fill_between(x, mean - spread, mean + spread, color=colour, alpha=0.12, linewidth=0)
    return axes.plot(x, mean, color=colour, linestyle=dashes, marker="o", markersize=4)[0]


def _mark(axes: Axes, panel: Panel) -> None:
    """Say below the axis where the points are, or, of many, where 1, 2 and 5 are."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

    if panel.log:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    if len(panel.x) <= MARKED:
        axes.xaxis.set_major_locator(FixedLocator(panel.x.tolist()))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))


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
    _name(axes, "x", methods)
    _name(axes, "y", classes)
    figure.colorbar(shown, ax=axes)
    save(figure, path)


def write_intervals(
    path: Path, scores: Mapping[str, tuple[float, float, float]], title: str
) -> None:
    """Draw {method: (score, low, high)}, methods from the top."""
    methods = list(scores)
    value, low, high = np.array([scores[method] for method in methods]).T
    figure = blank(7, 1.2 + 0.35 * len(methods))
    axes = figure.subplots()
    axes.errorbar(value, range(len(methods)), xerr=(value - low, high - value), fmt="o", capsize=3)
    axes.invert_yaxis()
    axes.grid(axis="x", color="0.9")
    axes.set_title(title)
    _name(axes, "y", methods)
    save(figure, path)


def blank(width: float, height: float) -> Figure:
    """A figure of so many inches to draw in."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DPI, layout="constrained")


def _name(axes: Axes, axis: str, classes: Sequence[str]) -> None:
    """Write the classes beside an axis, where there is room for them."""
    if len(classes) > NAMED:
        return
    names = [short(name, 20) for name in classes]
    upright: dict[str, Any] = {"rotation": 90} if axis == "x" else {}
    set_ticks = axes.set_xticks if axis == "x" else axes.set_yticks
    set_ticks(range(len(names)), names, parse_math=False, **upright)


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, the same bytes for the same drawing."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)  # a script that the font lacks
        figure.savefig(path, format="png", metadata={"Software": None})
