"""From logits to classes, with rare classes in mind: logit adjustment and thresholds."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from imbsynth.core.calibration import Floats, Labels, log_softmax

# What `best_tau` chooses from: 0 keeps the logits, 1 is the paper's for a balanced test set.
TAUS = np.linspace(0, 3, 61)


def adjusted(logits: Floats, counts: NDArray[np.int64], tau: float) -> NDArray[np.float64]:
    """z_k - tau log pi_k, where pi_k = n_k / n (Menon et al., 2021).

    (n, c) logits; counts: (c,) training images, each at least 1.
    """
    return logits.astype(np.float64) - tau * np.log(counts / counts.sum())


def best_tau(logits: Floats, labels: Labels, counts: NDArray[np.int64]) -> float:
    """The tau of TAUS with the best mean recall; ties go to the lower cross-entropy.

    Both weight every class equally. A few images of a rare class leave only a few values of the
    recall, and many values of tau would be equal. labels: (n,), every class among them.
    """
    return float(max(TAUS.tolist(), key=lambda tau: _quality(logits, labels, counts, tau)))


def _quality(
    logits: Floats, labels: Labels, counts: NDArray[np.int64], tau: float
) -> tuple[float, float]:
    logs = log_softmax(adjusted(logits, counts, tau))
    support = np.bincount(labels)
    right = np.bincount(labels, logs.argmax(1) == labels) / support
    likelihood = np.bincount(labels, logs[np.arange(len(labels)), labels]) / support
    return round(float(right.mean()), 12), float(likelihood.mean())


def threshold_for(scores: Floats, recall: float) -> float:
    """The highest threshold that at least this share of the scores reaches.

    scores: (n,) probabilities that images of a class have for it. recall: in (0, 1].
    """
    needed = max(math.ceil(recall * len(scores) - 1e-9), 1)  # 0.95 of 20 are 19, not 20
    threshold = float(np.sort(scores)[len(scores) - needed])
    return max(threshold, float(np.finfo(np.float32).tiny))


def decide(probabilities: Floats, thresholds: NDArray[np.float64]) -> Labels:
    """(n, c) probabilities, (c,) thresholds, NaN where a class has none -> (n,) classes.

    An image belongs to the class whose threshold it reaches; if it reaches several, to the one
    that it exceeds by the largest factor. An image that reaches none belongs to the likeliest of
    the classes without a threshold; where all classes have one, to the one it is closest to.
    """
    free = np.isnan(thresholds)
    if free.all():
        return probabilities.argmax(1)
    factors = np.where(free, -np.inf, probabilities / thresholds)
    others = np.where(free, probabilities, -np.inf) if free.any() else factors
    return np.where(factors.max(1) >= 1, factors.argmax(1), others.argmax(1))
