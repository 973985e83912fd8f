"""What the parts of a report have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from imbsynth.engine.comparison.wording import percent
from imbsynth.engine.experiments.verdicts import with_interval
from imbsynth.engine.reporting.below import SUFFIX, Below
from imbsynth.pages.blocks import Bar, Section, Span


class Part(NamedTuple):
    """A section, and its most important sentence: "" if it has none."""

    section: Section
    best: str = ""


def named(below: Below, path: str) -> str:
    """An output as the report calls it: by its path, or by the folder's own name."""
    return below.root.absolute().name if path == "." else path


def joined(folder: str, name: str) -> str:
    """The path of a file in a folder, which may be the root."""
    return name if folder == "." else f"{folder}/{name}"


def beside(path: str, suffix: str) -> str:
    """The path of a file that a training has written beside its checkpoint."""
    return path.removesuffix(SUFFIX) + suffix


def spans(values: Sequence[tuple[float, float, float] | None]) -> list[Span | str]:
    """Cells of (value, low, high) on one axis, from the lowest end to the highest; "" for None."""
    ends = [end for found in values if found is not None for end in found]
    if not ends:
        return [""] * len(values)
    start, length = min(ends), (max(ends) - min(ends)) or 1.0
    cells: list[Span | str] = []
    for found in values:
        if found is None:
            cells.append("")
            continue
        value, low, high = found
        text = with_interval(value, (low, high), 1)
        cells.append(Span(text, *((end - start) / length for end in (low, value, high))))
    return cells


def share(value: float) -> Bar:
    """A cell of a share, with its bar."""
    return Bar(percent(value), value)
