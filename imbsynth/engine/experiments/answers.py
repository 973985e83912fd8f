"""What the trials on a folder answered, and which methods are stopped because of that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imbsynth.configs import CompareConfig
from imbsynth.configs.contenders import base_of
from imbsynth.core.halving import Stop, stops
from imbsynth.core.paired import ValuesByClass
from imbsynth.engine.experiments.folder_protocol import trial_on_folder
from imbsynth.engine.experiments.protocols import Trial
from imbsynth.errors import UserError
from imbsynth.store.fields import Wrong, mapping, sequence, whole
from imbsynth.store.names import printable
from imbsynth.store.trials import find_trial, read_trial

ROPE = CompareConfig.rope  # of ACSA: a smaller difference does not matter

Answers = list[NDArray[np.int64]]  # of a fold, by true class: what each image was taken for


def read_answers(
    out: Path, methods: Iterable[str], folds: Sequence[int], classes: int
) -> dict[str, list[Answers]]:
    """Each method's answers in the folds that it has done, up to the first that it has not.

    out: of the experiment. UserError if a trial's file does not say.
    """
    found: dict[str, list[Answers]] = {}
    images: dict[int, list[int]] = {}  # by fold, how many of each class: for all methods the same
    for method in methods:
        own = found.setdefault(method, [])
        for fold in folds:
            path = find_trial(out, trial_on_folder(method, fold).name)
            if path is None:
                break
            own.append(_answers(path, classes))
            sizes = [len(answers) for answers in own[-1]]
            if images.setdefault(fold, sizes) != sizes:
                raise _damaged(path, "another method was tested on other images in this fold")
    return found


def right(answers: Answers) -> ValuesByClass:
    """Of each image of a fold: 1 if it was named correctly, else 0."""
    return [(own == label).astype(float) for label, own in enumerate(answers)]


def stopped(answers: dict[str, list[Answers]], folds: int) -> dict[str, Stop]:
    """The methods that are surely behind. folds: how many there are."""
    known = {method: [right(fold) for fold in own] for method, own in answers.items()}
    return stops(known, {method: base_of(method) for method in known}, folds, ROPE)


def spared(answers: dict[str, list[Answers]], folds: Sequence[int]) -> set[Trial]:
    """The trials of methods that are surely behind, in the folds after that was clear."""
    stops = stopped(answers, len(folds))
    return {
        trial_on_folder(method, fold)
        for method, stop in stops.items()
        for fold in folds[stop.folds :]
    }


def _answers(path: Path, classes: int) -> Answers:
    """How a trial classified its test images; UserError if its file does not say."""
    try:
        test = mapping(mapping(read_trial(path), "tests"), "test")
        rows = sequence(test, "answers", classes)
        found = []
        for label in range(classes):
            row = sequence(rows, label)
            found.append([whole(row, i, 0, classes - 1) for i in range(len(row))])
    except Wrong as error:
        raise _damaged(path, str(error)) from None
    return [np.array(row, np.int64) for row in found]


def _damaged(path: Path, why: str) -> UserError:
    return UserError(
        f"{printable(str(path))}: not written by this version of `imbsynth experiment` ({why})",
        "remove the file to have it made again",
    )
