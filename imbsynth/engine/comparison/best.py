"""Which of several single evaluations is best, and how clearly: image by image."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from imbsynth.core.bootstrap import CONFIDENCE
from imbsynth.core.paired import Difference, ValuesByClass, compared
from imbsynth.store.records import PREDICTIONS, read_table

FilePredictions = dict[str, tuple[str, str]]  # by file: its class, and what it was taken for


class Lead(NamedTuple):
    """How far the best is ahead of another one."""

    other: str
    difference: Difference  # of ACSA, on the same images
    clear: bool  # whether the whole interval is above the rope


class Best(NamedTuple):
    """The evaluation with the highest ACSA, and its leads over the others, the smallest first."""

    name: str
    leads: list[Lead]


def read_predictions(folder: Path) -> FilePredictions:
    """What an evaluation wrote of each image; UserError if the file is damaged or missing."""
    rows = read_table(folder / PREDICTIONS, ("file", "true", "predicted"))
    return {file: (true, predicted) for file, true, predicted in rows}


def same_images(first: FilePredictions, second: FilePredictions) -> bool:
    """Whether two evaluations are of the same files, with the same classes."""
    return first.keys() == second.keys() and all(
        first[file][0] == second[file][0] for file in first
    )


def best_of(found: Mapping[str, FilePredictions], rope: float) -> Best:
    """Compare evaluations of the same images, by name; of equal ones the first is best.

    rope: the largest difference of ACSA that does not matter.

    Which one is best is seen in the same images: so the intervals hold for all pairs together
    (Bonferroni), 95 % of the time. They say how much scores vary with the test images. That another
    training of the same method would score otherwise is not in them.
    """
    scores = {name: _acsa(predictions) for name, predictions in found.items()}
    best = max(scores, key=scores.__getitem__)
    others = [name for name in found if name != best]
    pairs = len(found) * (len(found) - 1) / 2
    leads = []
    for other in others:
        gains = _gains(found[best], found[other])
        lead = compared([gains], 0.0, 1, rope, 1 - (1 - CONFIDENCE) / pairs)
        leads.append(Lead(other, lead, lead.low > rope))
    return Best(best, sorted(leads, key=lambda lead: lead.difference.value))


def _acsa(predictions: FilePredictions) -> float:
    right: dict[str, list[bool]] = {}
    for true, predicted in predictions.values():
        right.setdefault(true, []).append(true == predicted)
    return float(np.mean([np.mean(own) for own in right.values()]))


def _gains(first: FilePredictions, second: FilePredictions) -> ValuesByClass:
    """Of each image, by class: 1 if only the first was right, -1 if only the second was, else 0."""
    gains: dict[str, list[float]] = {}
    for file, (true, predicted) in first.items():
        gain = float(predicted == true) - float(second[file][1] == true)
        gains.setdefault(true, []).append(gain)
    return [np.array(own) for own in gains.values()]
