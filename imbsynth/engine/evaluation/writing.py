"""What `evaluate --out` writes beside the scores: predictions and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from imbsynth.core import metrics
from imbsynth.core.calibration import reliability
from imbsynth.engine.evaluation.extremes import Extremes, rarest_first
from imbsynth.engine.evaluation.scores import Judged
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


def write_predictions(folder: Path, judged: Judged, paths: Sequence[str]) -> None:
    """Write a row per image: file, true and predicted class, and the probability of each class."""
    classes = judged.classes
    rows = zip(
        paths, judged.labels, judged.predicted, judged.probabilities.astype(str), strict=True
    )
    write_table(
        folder / PREDICTIONS,
        ["file", "true", "predicted", *(f"p({name})" for name in classes)],
        ([path, classes[label], classes[k], *shares] for path, label, k, shares in rows),
    )


def write_pictures(
    folder: Path, judged: Judged, pixels: PixelArray, scores: dict[str, float]
) -> None:
    """Draw confusion matrix, reliability, precision over recall, and the worst mistakes if any."""
    write_confusion(folder / CONFUSION, judged.confusion(), judged.classes)
    title = f"ECE {scores['ece']:.3f}, Brier score {scores['brier']:.3f}"
    bins = reliability(judged.probabilities, judged.labels)
    write_reliability(folder / RELIABILITY, *bins, title=title)
    write_precision_recall(folder / PRECISION_RECALL, _curves(judged))
    _mistakes(judged, pixels).write(
        folder / MISTAKES, "worst mistakes: what each is taken for, and its probability"
    )


def _curves(judged: Judged) -> list[Curve]:
    """One per class, rare classes first."""
    from sklearn.metrics import average_precision_score, precision_recall_curve

    confusion = judged.confusion()
    recalls, precisions = metrics.recalls(confusion), metrics.precisions(confusion)
    curves = []
    for k in rarest_first(judged.counts):
        own, shares = judged.labels == k, judged.probabilities[:, k]
        precision, recall, _ = precision_recall_curve(own, shares)
        area = average_precision_score(own, shares)
        name = f"{judged.classes[k]} (AP {area:.2f})"
        curves.append(Curve(name, recall, precision, (recalls[k], precisions[k])))
    return curves


def _mistakes(judged: Judged, pixels: PixelArray) -> Extremes:
    """By true class, the images whose wrong class got the highest probability."""
    found = Extremes(judged.counts)
    for i in np.flatnonzero(judged.labels != judged.predicted):
        k = judged.predicted[i]
        share = float(judged.probabilities[i, k])
        found.add(int(judged.labels[i]), share, pixels[i], f"{share:.2f} {judged.classes[k]}")
    return found
