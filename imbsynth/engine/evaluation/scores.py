"""The scores of a classifier on labelled images, with their intervals."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbsynth.core import metrics
from imbsynth.core.auroc import auroc_macro, class_orders
from imbsynth.core.bootstrap import (
    interval,
    resampled_auroc,
    resampled_calibration,
    resampled_confusions,
)
from imbsynth.core.calibration import brier, brier_losses, ece, gaps
from imbsynth.runtime import stream


class Predictions(NamedTuple):
    """Images that a classifier was tested on; classes in the order of its outputs."""

    labels: NDArray[np.int64]  # (n,) true
    predicted: NDArray[np.int64]  # (n,)
    probabilities: NDArray[np.float32]  # (n, c)
    counts: dict[str, int]  # real training images by class

    @property
    def classes(self) -> list[str]:
        """Their names."""
        return list(self.counts)

    def confusion(self) -> metrics.Counts:
        """(c, c) counts, rows true."""
        return metrics.confusion_matrix(self.labels, self.predicted, len(self.counts))


def scores_of(tested: Predictions, draws: int, seed: int) -> dict[str, Any]:
    """{metric: score}, and under "intervals" {metric: (low, high)}: 95 % by bootstrap."""
    confusion = tested.confusion()
    drawn = resampled_confusions(confusion, draws, stream(seed, "evaluate", "confusion"))
    found: dict[str, Any] = {
        name: float(score(confusion)) for name, score in metrics.SCORES.items()
    }
    intervals = {name: interval(score(drawn)) for name, score in metrics.SCORES.items()}

    once = np.ones((1, len(tested.labels)), np.int32)
    ranked = class_orders(tested.probabilities, tested.labels)
    found["auroc_macro"] = float(auroc_macro(ranked, once)[0])
    areas = resampled_auroc(ranked, draws, stream(seed, "evaluate", "auroc"))
    intervals["auroc_macro"] = interval(areas)

    distances = gaps(tested.probabilities, tested.labels)
    losses = brier_losses(tested.probabilities, tested.labels)
    found["ece"], found["brier"] = float(ece(distances, once)[0]), float(brier(losses, once)[0])
    members = [np.flatnonzero(tested.labels == k) for k in range(len(tested.counts))]
    rng = stream(seed, "evaluate", "calibration")
    errors, briers = resampled_calibration(distances, losses, members, draws, rng)
    return {
        **found,
        "intervals": {**intervals, "ece": interval(errors), "brier": interval(briers)},
    }


def per_class(tested: Predictions) -> dict[str, dict[str, float]]:
    """{class: {precision, recall, specificity, f1, support, trained}}."""
    confusion = tested.confusion()
    columns = {
        "precision": metrics.precisions(confusion).tolist(),
        "recall": metrics.recalls(confusion).tolist(),
        "specificity": metrics.specificities(confusion).tolist(),
        "f1": metrics.f1s(confusion).tolist(),
        "support": confusion.sum(1).astype(int).tolist(),
        "trained": list(tested.counts.values()),
    }
    return {
        name: {column: values[k] for column, values in columns.items()}
        for k, name in enumerate(tested.counts)
    }
