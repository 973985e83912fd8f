"""The part of a report on images without labels, and on comparisons that were written."""

from __future__ import annotations

from collections import Counter
from functools import partial

from imbsynth.engine.reporting.below import Below
from imbsynth.engine.reporting.parts import Part, joined, named
from imbsynth.engine.reporting.pictures import picture
from imbsynth.pages.blocks import Bar, Block, Cell, Section, Table
from imbsynth.store.records import (
    LEAST_CERTAIN,
    MOST_CERTAIN,
    PREDICTIONS,
    ROBUSTNESS,
    SPREADS,
    read_table,
)


def prediction_part(below: Below) -> Part | None:
    """The outputs of `predict`; None if there are none."""
    blocks: list[Block] = []
    for path in below.of("predict"):
        if PREDICTIONS not in below.outputs[path].files:
            continue  # images sorted by class
        file, name = joined(path, PREDICTIONS), named(below, path)
        found = below.attempt(file, partial(read_table, below.root / file, ("class",)))
        if not found:
            continue
        counts = Counter(label for (label,) in found)
        most = max(counts.values())
        rows: list[list[Cell]] = [
            [label, Bar(str(n), n / most)] for label, n in counts.most_common()
        ]
        blocks.append(Table(f"{name}: images by predicted class", ["class", "images"], rows))
        for sheet, words in ((LEAST_CERTAIN, "least certain"), (MOST_CERTAIN, "most certain")):
            caption = f"{name}: images of which the classifier is {words}, by predicted class"
            blocks += picture(below, joined(path, sheet), f"{caption}.", caption)
    return Part(Section("Predictions", blocks)) if blocks else None


def comparison_part(below: Below) -> Part | None:
    """The pictures of `compare`, whose numbers other parts have; None if there are none."""
    blocks: list[Block] = []
    for path in below.of("compare"):
        for file, words in ((SPREADS, "scores by method"), (ROBUSTNESS, "scores by imbalance")):
            caption = f"{named(below, path)}: {words}"
            blocks += picture(below, joined(path, file), f"{caption}.", caption)
    return Part(Section("Comparisons", blocks)) if blocks else None
