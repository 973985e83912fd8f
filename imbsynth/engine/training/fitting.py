"""What is fitted to the validation images when a classifier's training is over."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from imbsynth.core.calibration import Floats, fitted_temperature, softmax
from imbsynth.core.decisions import best_tau, decide, threshold_for
from imbsynth.engine.events import Note, OnEvent
from imbsynth.engine.inference.decisions import Fitted
from imbsynth.engine.training.classifier import ClassifierTask
from imbsynth.errors import UserError, meant, option
from imbsynth.store.names import listing, printable


def check_wanted(wanted: Mapping[str, float] | None, classes: list[str]) -> None:
    """Raise UserError for a recall of a class that is not there."""
    strange = [name for name in wanted or {} if name not in classes]
    if strange:
        raise UserError(
            f"{option('want_recall')}: there is no class {listing(strange)}",
            f"{meant(strange[0], classes, printable)}the classes are {listing(classes)}",
        )


def fit_decisions(
    task: ClassifierTask,
    weights: Mapping[str, Tensor],
    counts: Mapping[str, int],
    wanted: Mapping[str, float] | None,
    on_event: OnEvent,
) -> Fitted:
    """Tau, temperature and thresholds for the weights that are kept.

    counts: real training images by class. wanted: the recall that is wanted of some classes.
    """
    task.model.load_state_dict(weights)
    found = task.judged()
    labels, sizes = task.val.labels, np.array(list(counts.values()), np.int64)
    tau = best_tau(found, labels, sizes) if sizes.all() else None
    thresholds = {}
    if wanted:
        thresholds = _thresholds(found, labels, list(counts), wanted, on_event)
    return Fitted(tau, fitted_temperature(found, labels), thresholds)


def _thresholds(
    found: Floats,
    labels: NDArray[np.int64],
    classes: list[str],
    wanted: Mapping[str, float],
    on_event: OnEvent,
) -> dict[str, float]:
    """By class; says what they do to the validation images."""
    shares, chosen = softmax(found), np.full(len(classes), np.nan)
    for name, recall in wanted.items():
        own = classes.index(name)
        chosen[own] = threshold_for(shares[labels == own, own], recall)
    called = decide(shares, chosen)
    for name in wanted:
        own = classes.index(name)
        right, members = int((called[labels == own] == own).sum()), int((labels == own).sum())
        on_event(
            Note(
                f"class {printable(name)}: the threshold {chosen[own]:.3g} finds {right} of its "
                f"{members} validation images, and {int((called == own).sum()) - right} others"
            )
        )
    return {name: float(chosen[classes.index(name)]) for name in wanted}
