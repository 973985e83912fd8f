"""Which methods helped on a folder, from the results of its cross-validation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from imbsynth.core import metrics
from imbsynth.core.paired import (
    ByClass,
    Difference,
    compared,
    training_variance,
    wanted_images,
)
from imbsynth.core.profiles import by_size
from imbsynth.core.proportions import jeffreys, mean_interval
from imbsynth.engine.experiments.folder_protocol import AS_IS, AUGMENTED, FOLDER, PLAIN
from imbsynth.engine.experiments.protocols import Trial
from imbsynth.errors import UserError
from imbsynth.store.fields import Wrong, mapping, sequence, whole
from imbsynth.store.names import printable
from imbsynth.store.trials import find_trial, read_trial, trial_file

SURE = 0.975  # the probability above which a difference is reported: its 95 % interval is clear
ROPE = 0.01  # of ACSA: a smaller difference does not matter

Outcome = Literal["helps", "no difference", "hurts", "not clear", ""]  # "": compared with nothing
Answers = list[NDArray[np.int64]]  # of a fold, by true class: what each image was taken for


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
    gain: float | None  # of ACSA over its `base_of`, on the same images
    gain_interval: tuple[float, float] | None  # 95 %, over images and trainings
    better: float | None  # probability that the gain is more than ROPE
    worse: float | None
    words: Outcome
    wanted: dict[str, int]  # more images by class that would make an unclear gain clear


def base_of(method: str) -> str | None:
    """What a method is compared with: plain training with the same augmentation, or without any."""
    base = PLAIN + AUGMENTED if method.endswith(AUGMENTED) else PLAIN
    if method == PLAIN:
        return None
    return PLAIN if method == base else base


def verdicts(
    out: Path, methods: Iterable[str], folds: Sequence[int], counts: dict[str, int]
) -> list[Verdict]:
    """Every method's scores over all folds, and whether it helped.

    out: of the experiment, where every trial has a result. counts: {class: images} of the folder.
    """
    answers = {
        method: [_answers(out, Trial(FOLDER, AS_IS, method, fold), len(counts)) for fold in folds]
        for method in methods
    }
    gains = {
        method: [_gains(*pair) for pair in zip(own, answers[base], strict=True)]
        for method, own in answers.items()
        if (base := base_of(method)) is not None
    }
    training = training_variance(list(gains.values()))
    found = []
    for method, own in answers.items():
        gain, wanted = None, {}
        if method in gains:
            gain = compared(gains[method], training, len(gains), ROPE)
            if _outcome(gain) == "not clear":
                wanted = _wanted(gains[method], training, counts)
        found.append(_verdict(method, own, counts, gain, wanted))
    return found


def winner(found: list[Verdict]) -> str:
    """The method with the highest ACSA; of several, the first and simplest."""
    return max(found, key=lambda verdict: verdict.acsa).method


def _answers(out: Path, trial: Trial, classes: int) -> Answers:
    """How a trial classified its test images; UserError if its file does not say."""
    path = find_trial(out, trial.name) or trial_file(out, trial.name)
    try:
        test = mapping(mapping(read_trial(path), "tests"), "test")
        rows = sequence(test, "answers", classes)
        found = []
        for label in range(classes):
            row = sequence(rows, label)
            found.append([whole(row, i, 0, classes - 1) for i in range(len(row))])
    except Wrong as error:
        raise UserError(
            f"{printable(str(path))}: not written by this version of `imbsynth experiment` "
            f"({error})",
            "remove the file to have it made anew",
        ) from None
    return [np.array(row, np.int64) for row in found]


def _gains(own: Answers, base: Answers) -> ByClass:
    """Of each image: 1 if only the first was right, -1 if only the second was, else 0."""
    return [
        (mine == label).astype(float) - (other == label)
        for label, (mine, other) in enumerate(zip(own, base, strict=True))
    ]


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
    wanted: dict[str, int],
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
        wanted=wanted,
    )


def _wanted(folds: list[ByClass], training: float, counts: Mapping[str, int]) -> dict[str, int]:
    """More images by class that would make a gain clear; none if no number of them would."""
    pooled = [np.concatenate(own) for own in zip(*folds, strict=True)]
    found = wanted_images(pooled, ROPE, training / len(folds))
    if found is None:
        return {}
    names = sorted(counts)
    classes = names if found.label is None else [names[found.label]]
    return {name: math.ceil((found.times - 1) * counts[name]) for name in classes}
