"""What all figures with axes share: sizes, titles, the names of classes, and saving."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imbsynth.figures.fonts import fonts_for
from imbsynth.store.names import short
from imbsynth.store.pictures import MARK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 110
NAMED = 60  # classes whose names still fit beside an axis
PER_ROW = 3  # panels
TALLEST = 60  # inches; matplotlib draws no picture of 2^16 pixels


def blank(width: float, height: float) -> Figure:
    """An empty figure of the given size in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DPI, layout="constrained")


def side_by_side(
    count: int, width: float, height: float, *, margin: float
) -> tuple[Figure, list[Axes]]:
    """A figure with `count` panels of the given size in inches, PER_ROW in a row, and their axes.

    margin: inches beside the panels. Panels that would make the figure taller than TALLEST are
    left out.
    """
    most = max(int(TALLEST / height), 1)
    rows, columns = min(-(-count // PER_ROW), most), min(count, PER_ROW)
    figure = blank(width * columns + margin, height * rows + 1)
    grid = figure.subplots(rows, columns, squeeze=False).flatten().tolist()
    for axes in grid[count:]:
        axes.remove()
    return figure, grid[:count]


def set_title(figure: Figure, title: str, drawn: int, count: int) -> None:
    """Write the title above all panels, and how many are drawn if not all are."""
    part = f" (the first {drawn} of {count})" if drawn < count else ""
    figure.suptitle(title + part)


def name_classes(
    axes: Axes, axis: str, classes: Sequence[str], *, room: int = NAMED, size: float | None = None
) -> None:
    """Write the classes beside an axis: all, or evenly spread ones, `room` at most.

    Numbers of rows would pass for names of classes, so there are none. size: of letters, points.
    """
    step = max(1, -(-len(classes) // room))
    names = [short(name, 20) for name in classes[::step]]
    style: dict[str, Any] = {"rotation": 90} if axis == "x" else {}
    if size is not None:
        style["fontsize"] = size
    set_ticks = axes.set_xticks if axis == "x" else axes.set_yticks
    set_ticks(range(0, len(classes), step), names, parse_math=False, **style)
    if step > 1:
        named = f"{len(names)} of {len(classes)} classes are named"
        shown = axes.get_xlabel() if axis == "x" else axes.get_ylabel()
        set_label = axes.set_xlabel if axis == "x" else axes.set_ylabel
        set_label(f"{shown} ({named})" if shown else named)


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, the same bytes for the same drawing."""
    _choose_fonts(figure)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)  # `undrawn_letters` has them
        figure.savefig(path, format="png", metadata={"Software": MARK})


def _choose_fonts(figure: Figure) -> None:
    """Add installed fonts to texts with letters that DejaVu Sans lacks."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        families = sorted({font.family for font in fonts_for(text.get_text()).values()})
        if families:
            text.set_fontfamily([*text.get_fontfamily(), *families])
