"""Calibration: how far probabilities are from frequencies, and the temperature that mends it.

Arrays are logits (n, c), probabilities (n, c) and labels (n,), the true class indices.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BINS = 15  # of the confidence, of equal width: the paper's
COLDEST, HOTTEST = 0.05, 20.0  # temperatures

Floats = NDArray[np.float32] | NDArray[np.float64]
Labels = NDArray[np.int64]


class Bins(NamedTuple):
    """Images by their confidence, the probability of the likeliest class; one entry per bin."""

    images: NDArray[np.int64]  # (b,) their number
    confidence: NDArray[np.float64]  # (b,) the mean; NaN in an empty bin
    accuracy: NDArray[np.float64]  # (b,) share whose likeliest class is right; NaN if empty


def log_softmax(logits: Floats) -> NDArray[np.float64]:
    """(n, c) logits -> (n, c) logarithms of probabilities."""
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))


def softmax(logits: Floats) -> NDArray[np.float64]:
    """(n, c) logits -> (n, c) probabilities."""
    return np.exp(log_softmax(logits))


def fitted_temperature(logits: Floats, labels: Labels) -> float:
    """The T that minimises the mean cross-entropy of softmax(z / T) (Guo et al., 2017).

    Within [COLDEST, HOTTEST]. Departure: 1 where every image is classified right. Then the
    cross-entropy falls without end as T does, and the images say nothing about T.
    """
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(labels))
    if (logits.argmax(1) == labels).all():
        return 1.0

    def loss(log_temperature: float) -> float:
        scaled = logits.astype(np.float64) / np.exp(log_temperature)
        return -float(log_softmax(scaled)[rows, labels].mean())

    bounds = (np.log(COLDEST), np.log(HOTTEST))
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))


def gaps(probabilities: Floats, labels: Labels) -> NDArray[np.float64]:
    """(n, b): (right - confidence) of each image in the column of its bin, and 0 elsewhere."""
    confidence, right, bins = _judged(probabilities, labels)
    found = np.zeros((len(labels), BINS))
    found[np.arange(len(labels)), bins] = right - confidence
    return found


def ece(gaps: NDArray[np.float64], weights: NDArray[np.int32]) -> NDArray[np.float64]:
    """Expected calibration error, sum_b n_b / n |accuracy_b - confidence_b| (Guo et al., 2017).

    In [0, 1]. (n, b) from `gaps`; weights (m, n), how often each image is in each of m samples.
    """
    return np.abs(weights @ gaps).sum(1) / weights.sum(1)


def brier_losses(probabilities: Floats, labels: Labels) -> NDArray[np.float64]:
    """sum_k (p_k - y_k)^2 of each image, in [0, 2] (Brier, 1950): (n,)."""
    errors = probabilities.astype(np.float64)
    errors[np.arange(len(labels)), labels] -= 1
    return np.square(errors).sum(1)


def brier(losses: NDArray[np.float64], weights: NDArray[np.int32]) -> NDArray[np.float64]:
    """The mean of (n,) `brier_losses` in samples with (m, n) weights: (m,)."""
    return weights @ losses / weights.sum(1)


def reliability(probabilities: Floats, labels: Labels) -> Bins:
    """What a reliability diagram shows."""
    confidence, right, bins = _judged(probabilities, labels)
    count = np.bincount(bins, minlength=BINS)
    with np.errstate(invalid="ignore"):
        return Bins(
            count,
            np.bincount(bins, confidence, BINS) / count,
            np.bincount(bins, right, BINS) / count,
        )


def _judged(
    probabilities: Floats, labels: Labels
) -> tuple[NDArray[np.float64], NDArray[np.bool_], Labels]:
    """(n,) confidences, whether the likeliest class is right, and bins ((b-1)/B, b/B]."""
    confidence = probabilities.max(1).astype(np.float64)
    bins = np.ceil(confidence * BINS).astype(np.int64) - 1
    return confidence, probabilities.argmax(1) == labels, bins.clip(0, BINS - 1)
