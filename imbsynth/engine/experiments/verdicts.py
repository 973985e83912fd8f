"""Which methods helped on a folder, from the results of its cross-validation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from imbsynth.configs.contenders import base_of
from imbsynth.core import metrics
from imbsynth.core.halving import Stop, gains
from imbsynth.core.paired import (
    Difference,
    ValuesByClass,
    compared,
    training_variance,
    wanted_images,
)
from imbsynth.core.profiles import by_size
from imbsynth.core.proportions import jeffreys, mean_interval
from imbsynth.engine.experiments.answers import ROPE, Answers, read_answers, right, stopped

SURE = 0.975  # the probability above which a difference is reported: its 95 % interval is clear

Outcome = Literal["helps", "no difference", "hurts", "not clear", "stopped", ""]  # "": no base


@dataclass(frozen=True)
class Verdict:
    """How one method did over all folds, or over those before it was stopped."""

    method: str
    acsa: float  # over all images, each tested once
    interval: tuple[float, float]  # 95 %, over the images
    g_mean: float
    f1_macro: float
    recalls: dict[str, float]  # by class, the rarest first
    recall_intervals: dict[str, tuple[float, float]]  # 95 %, over the images
    gain: float | None  # of ACSA over its `base_of`, on the same images
    gain_interval: tuple[float, float] | None  # 95 %, over images and trainings
    better: float | None  # probability that the gain is more than ROPE
    worse: float | None
    words: Outcome
    wanted: dict[str, int]  # more images by class that would make an unclear gain clear
    stopped: Stop | None = None
    folds: int = 0  # that there are

    @property
    def outcome(self) -> str:
        """In words: whether it helped, or why it was stopped."""
        if self.stopped is None:
            return self.words
        lead = self.stopped.lead
        return (
            f"stopped after fold {self.stopped.folds} of {self.folds}: behind {self.stopped.best} "
            f"by {with_interval(lead.value, (lead.low, lead.high), 1)}"
        )


def with_interval(value: float, interval: tuple[float, float], digits: int, sign: str = "") -> str:
    """A share and its interval in percent: "71.9 [69.0, 74.6]"."""
    low, high = (f"{100 * end:{sign}.{digits}f}" for end in interval)
    return f"{100 * value:{sign}.{digits}f} [{low}, {high}]"


def verdicts(
    out: Path,
    methods: Iterable[str],
    folds: Sequence[int],
    counts: dict[str, int],
    *,
    stopping: bool,
) -> list[Verdict]:
    """Every method's scores over the folds that it did, and whether it helped.

    out: of the experiment, where every trial has a result but those of methods that are stopped.
    counts: {class: images} of the folder. stopping: whether methods that are behind are stopped.
    """
    answers = read_answers(out, methods, folds, len(counts))
    stops = stopped(answers, len(folds)) if stopping else {}
    own = {
        method: found[: stops[method].folds] if method in stops else found
        for method, found in answers.items()
    }
    differences = {
        method: gains(list(map(right, found)), list(map(right, own[base])))
        for method, found in own.items()
        if (base := base_of(method)) is not None
    }
    training = training_variance(list(differences.values()))
    freedom = sum(len(one) - 1 for one in differences.values())
    found = []
    for method, answered in own.items():
        gain, one = None, differences.get(method)
        if one is not None:
            gain = compared(one, training, freedom / (len(one) - 1), ROPE)
        verdict = _verdict(method, answered, counts, gain)
        if method in stops:
            verdict = replace(verdict, words="stopped", stopped=stops[method], folds=len(folds))
        elif one is not None and verdict.words == "not clear":
            verdict = replace(verdict, wanted=_wanted(one, training, counts))
        found.append(verdict)
    return found


def winner(found: list[Verdict]) -> str:
    """The method with the highest ACSA in all folds; of several, the first and simplest."""
    whole = [verdict for verdict in found if verdict.stopped is None]
    return max(whole, key=lambda verdict: verdict.acsa).method


def _outcome(gain: Difference) -> Outcome:
    """What the three probabilities amount to."""
    chances: dict[Outcome, float] = {
        "helps": gain.better,
        "hurts": gain.worse,
        "no difference": gain.alike,
    }
    return next((outcome for outcome, chance in chances.items() if chance >= SURE), "not clear")


def _verdict(
    method: str,
    answers: list[Answers],
    counts: Mapping[str, int],
    gain: Difference | None,
) -> Verdict:
    names = sorted(counts)
    order = [names.index(name) for name in reversed(by_size(dict(counts)))]
    rows = [np.concatenate(row) for row in zip(*answers, strict=True)]
    pooled = np.array([np.bincount(row, minlength=len(names)) for row in rows], np.float64)
    recalls = metrics.recalls(pooled)
    low, high = jeffreys(pooled.diagonal(), pooled.sum(1))
    return Verdict(
        method=method,
        acsa=float(metrics.acsa(pooled)),
        interval=mean_interval(recalls, low, high),
        g_mean=float(metrics.g_mean(pooled)),
        f1_macro=float(metrics.f1_macro(pooled)),
        recalls={names[k]: float(recalls[k]) for k in order},
        recall_intervals={names[k]: (float(low[k]), float(high[k])) for k in order},
        gain=None if gain is None else gain.value,
        gain_interval=None if gain is None else (gain.low, gain.high),
        better=None if gain is None else gain.better,
        worse=None if gain is None else gain.worse,
        words="" if gain is None else _outcome(gain),
        wanted={},
    )


def _wanted(
    folds: list[ValuesByClass], training: float, counts: Mapping[str, int]
) -> dict[str, int]:
    """More images by class that would make a gain clear; none if no number of them would."""
    pooled = [np.concatenate(own) for own in zip(*folds, strict=True)]
    found = wanted_images(pooled, ROPE, training / len(folds))
    if found is None:
        return {}
    names = sorted(counts)
    classes = names if found.label is None else [names[found.label]]
    return {name: math.ceil((found.times - 1) * counts[name]) for name in classes}
