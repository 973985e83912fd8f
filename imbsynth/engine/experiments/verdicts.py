"""Which methods helped on a folder, from the results of its cross-validation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from imbsynth.core import metrics
from imbsynth.core.profiles import by_size
from imbsynth.core.proportions import jeffreys, mean_interval
from imbsynth.core.significance import better_in_folds
from imbsynth.engine.experiments.folder_protocol import AUGMENTED, PLAIN
from imbsynth.engine.experiments.protocols import Trial
from imbsynth.engine.experiments.workspace import Workspace
from imbsynth.errors import UserError
from imbsynth.store.fields import Wrong, finite, mapping, sequence
from imbsynth.store.names import printable
from imbsynth.store.trials import read_trial

SURE = 0.95  # the probability above which a difference is certain enough to be reported
ROPE = 0.01  # of ACSA: a smaller difference does not matter

Outcome = Literal["helps", "no difference", "hurts", "not clear", ""]  # "": compared with nothing


@dataclass(frozen=True)
class Verdict:
    """How one method did over all folds."""

    method: str
    acsa: float  # over all images, each tested once
    interval: tuple[float, float]  # 95 %, over the images
    g_mean: float
    f1_macro: float
    recalls: dict[str, float]  # by class, the rarest first
    recall_intervals: dict[str, tuple[float, float]]  # 95 %, over the images
    better: float | None  # probability that it is better than its `base_of`
    worse: float | None
    words: Outcome


def base_of(method: str) -> str | None:
    """What a method is compared with: plain training with the same augmentation, or without any."""
    base = PLAIN + AUGMENTED if method.endswith(AUGMENTED) else PLAIN
    if method == PLAIN:
        return None
    return PLAIN if method == base else base


def verdicts(workspace: Workspace, counts: dict[str, int]) -> list[Verdict]:
    """Every method's scores over all folds, and whether it helped.

    counts: {class: images} of the folder. Every trial has a result.
    """
    confusions = {
        method: [
            _confusion(workspace, Trial("folder", "as is", method, fold), len(counts))
            for fold in workspace.protocol.seeds
        ]
        for method in workspace.protocol.methods
    }
    names = sorted(counts)
    order = [names.index(name) for name in reversed(by_size(counts))]
    return [_verdict(method, confusions, names, order) for method in confusions]


def _confusion(workspace: Workspace, trial: Trial, classes: int) -> NDArray[np.float64]:
    """(c, c) counts out of the trial's file; UserError if they are not there."""
    path = workspace.result(trial) or workspace.target(trial)
    try:
        test = mapping(mapping(read_trial(path), "tests"), "test")
        rows = sequence(test, "confusion", classes)
        counts = [
            [finite(sequence(rows, i, classes), j, 0) for j in range(classes)]
            for i in range(classes)
        ]
    except Wrong as error:
        raise UserError(
            f"{printable(str(path))}: not written by `imbsynth experiment` ({error})",
            "remove the file to have it made anew",
        ) from None
    return np.array(counts)


def _outcome(better: float, alike: float, worse: float) -> Outcome:
    """What the three probabilities amount to."""
    chances: dict[Outcome, float] = {"helps": better, "no difference": alike, "hurts": worse}
    return next((outcome for outcome, chance in chances.items() if chance >= SURE), "not clear")


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
    outcome: Outcome = ""
    if base is not None:
        own, other = (
            np.array([float(metrics.acsa(fold)) for fold in confusions[name]])
            for name in (method, base)
        )
        better, alike, worse = better_in_folds(own, other, ROPE)
        outcome = _outcome(better, alike, worse)
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
        words=outcome,
    )
