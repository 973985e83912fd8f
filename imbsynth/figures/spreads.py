"""Scores of methods over problems, with bars."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imbsynth.figures.drawing import PER_ROW, save, set_title, side_by_side
from imbsynth.store.names import short

LISTED = 150  # methods beside a panel, which grows with their number


def write_spreads(
    path: Path,
    mean: NDArray[np.float64],
    reach: NDArray[np.float64],
    problems: Sequence[str],
    methods: Sequence[str],
    title: str,
) -> None:
    """Draw (n, k) means as dots with bars, one panel per problem.

    reach: (2, n, k), how far the bars go to the left and to the right. Methods are listed from
    the top in the order given; those beyond LISTED are left out.
    """
    names = [short(method, 32) for method in methods[:LISTED]]
    figure, grid = side_by_side(len(problems), 3.5, 0.9 + 0.24 * max(len(names), 3), margin=1.8)
    rows = np.arange(len(names))
    for i, axes in enumerate(grid):
        axes.errorbar(
            mean[i, rows], rows, xerr=reach[:, i, rows], fmt="o", markersize=5, capsize=3, lw=1
        )
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_yticks(rows, names if i % PER_ROW == 0 else [], parse_math=False)
        axes.set_title(short(problems[i], 40), parse_math=False, fontsize="medium")
        axes.grid(color="0.9")
        axes.set_axisbelow(True)
    set_title(figure, title, len(grid), len(problems))
    save(figure, path)
