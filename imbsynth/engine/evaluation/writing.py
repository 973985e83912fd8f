"""What `evaluate --out` writes beside the scores: predictions and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from imbsynth.core import metrics
from imbsynth.core.calibration import reliability
from imbsynth.engine.evaluation.extremes import Extremes, rarest_first
from imbsynth.engine.evaluation.scores import Predictions
from imbsynth.figures.confusion import write_confusion
from imbsynth.figures.precision_recall import Curve, write_precision_recall
from imbsynth.figures.reliability import write_reliability
from imbsynth.store.records import (
    CONFUSION,
    MISTAKES,
    PRECISION_RECALL,
    PREDICTIONS,
    RELIABILITY,
    write_table,
)
from imbsynth.store.row_files import PixelArray


def write_predictions(folder: Path, tested: Predictions, paths: Sequence[str]) -> None:
    """Write a row per image: file, true and predicted class, and the probability of each class."""
    classes = tested.classes
    rows = zip(
        paths, tested.labels, tested.predicted, tested.probabilities.astype(str), strict=True
    )
    write_table(
        folder / PREDICTIONS,
        ["file", "true", "predicted", *(f"p({name})" for name in classes)],
        ([path, classes[label], classes[k], *shares] for path, label, k, shares in rows),
    )


def write_pictures(
    folder: Path, tested: Predictions, pixels: PixelArray, scores: dict[str, float]
) -> None:
    """Draw confusion matrix, reliability, precision over recall, and the worst mistakes if any."""
    write_confusion(folder / CONFUSION, tested.confusion(), tested.classes)
    title = f"ECE {scores['ece']:.3f}, Brier score {scores['brier']:.3f}"
    bins = reliability(tested.probabilities, tested.labels)
    write_reliability(folder / RELIABILITY, *bins, title=title)
    write_precision_recall(folder / PRECISION_RECALL, _curves(tested))
    _mistakes(tested, pixels).write(
        folder / MISTAKES, "worst mistakes: what each is taken for, and its probability"
    )


def _curves(tested: Predictions) -> list[Curve]:
    """One per class, rare classes first."""
    from sklearn.metrics import average_precision_score, precision_recall_curve

    confusion = tested.confusion()
    recalls, precisions = metrics.recalls(confusion), metrics.precisions(confusion)
    curves = []
    for k in rarest_first(tested.counts):
        own, shares = tested.labels == k, tested.probabilities[:, k]
        precision, recall, _ = precision_recall_curve(own, shares)
        area = average_precision_score(own, shares)
        name = f"{tested.classes[k]} (AP {area:.2f})"
        curves.append(Curve(name, recall, precision, (recalls[k], precisions[k])))
    return curves


def _mistakes(tested: Predictions, pixels: PixelArray) -> Extremes:
    """By true class, the images whose wrong class got the highest probability."""
    found = Extremes(tested.counts)
    for i in np.flatnonzero(tested.labels != tested.predicted):
        k = tested.predicted[i]
        share = float(tested.probabilities[i, k])
        found.add(int(tested.labels[i]), share, pixels[i], f"{share:.2f} {tested.classes[k]}")
    return found
