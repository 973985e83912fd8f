"""Which methods helped on a folder, out of the results of its cross-validation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imbsynth.core import metrics
from imbsynth.core.profiles import by_size
from imbsynth.core.proportions import jeffreys, mean_interval
from imbsynth.core.significance import better_in_folds
from imbsynth.engine.experiments.cells import Bench
from imbsynth.engine.experiments.on_folder import AUGMENTED, PLAIN
from imbsynth.engine.experiments.protocols import Cell
from imbsynth.store.records import read_json

SURE = 0.95  # the chance from which on a difference is called one
ROPE = 0.01  # of ACSA: a smaller difference does not matter


@dataclass(frozen=True)
class Verdict:
    """How one method did over all folds."""

    method: str
    acsa: float  # of all images, each tested once
    interval: tuple[float, float]  # 95 %, over the images
    g_mean: float
    f1_macro: float
    recalls: dict[str, float]  # the rarest class first
    recall_intervals: dict[str, tuple[float, float]]  # 95 %, likewise
    better: float | None  # the chance that it beats what `base_of` says
    worse: float | None
    words: str


def base_of(method: str) -> str | None:
    """What a method is held against: plain training with the same augmentation, or without any."""
    base = PLAIN + AUGMENTED if method.endswith(AUGMENTED) else PLAIN
    if method == PLAIN:
        return None
    return PLAIN if method == base else base


def verdicts(bench: Bench, counts: dict[str, int]) -> list[Verdict]:
    """Every method's scores over all folds, and whether it helped."""
    confusions = {
        method: [
            np.array(_scores(bench, Cell("folder", "as is", method, fold))["confusion"], np.float64)
            for fold in bench.protocol.seeds
        ]
        for method in bench.protocol.methods
    }
    names = sorted(counts)
    order = [names.index(name) for name in reversed(by_size(counts))]
    return [_verdict(method, confusions, names, order) for method in confusions]


def _scores(bench: Bench, cell: Cell) -> dict[str, Any]:
    return read_json(bench.result(cell))["tests"]["test"]


def _in_words(better: float, alike: float, worse: float) -> str:
    """What the three chances amount to."""
    found = {"helps": better, "no difference": alike, "hurts": worse}
    return next((words for words, chance in found.items() if chance >= SURE), "not clear")


def _verdict(
    method: str,
    confusions: dict[str, list[NDArray[np.float64]]],
    names: list[str],
    order: list[int],
) -> Verdict:
    pooled = np.sum(confusions[method], axis=0)
    recalls = metrics.recalls(pooled)
    low, high = jeffreys(pooled.diagonal(), pooled.sum(1))
    base = base_of(method)
    better = worse = None
    words = ""
    if base is not None:
        mine, other = (
            np.array([float(metrics.acsa(fold)) for fold in confusions[name]])
            for name in (method, base)
        )
        better, alike, worse = better_in_folds(mine, other, ROPE)
        words = _in_words(better, alike, worse)
    return Verdict(
        method=method,
        acsa=float(metrics.acsa(pooled)),
        interval=mean_interval(recalls, low, high),
        g_mean=float(metrics.g_mean(pooled)),
        f1_macro=float(metrics.f1_macro(pooled)),
        recalls={names[k]: float(recalls[k]) for k in order},
        recall_intervals={names[k]: (float(low[k]), float(high[k])) for k in order},
        better=better,
        worse=worse,
        words=words,
    )
