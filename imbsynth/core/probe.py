"""A probe: can real and synthetic images of the same class be told apart by some numbers?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STRENGTH = 0.1  # scikit-learn's C, the inverse of the regularisation
HALVES = (0, 1)

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]
Labels = NDArray[np.int64]


def cross_fitted_scores(features: Values, synthetic: Flags, labels: Labels, half: Labels) -> Values:
    """(n, k) features -> (n,) scores, higher for what looks synthetic.

    Logistic regression, fitted on one half (0 or 1 for each image) and asked about the other.
    Classes have equal weight, and so have the real and the synthetic images of each.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    scores = np.empty(len(features))
    for own in HALVES:
        fitted, asked = half == own, half != own
        model = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=1000))
        weights = equal_weights(labels[fitted], synthetic[fitted])
        model.fit(features[fitted], synthetic[fitted], logisticregression__sample_weight=weights)
        scores[asked] = model.decision_function(features[asked])
    return scores


def separability(scores: Values, synthetic: Flags, labels: Labels, half: Labels) -> float:
    """The chance that a synthetic image scores higher than a real one (AUROC), mean over classes.

    0.5: they cannot be told apart. The mean over the halves, whose scores are of two models.
    """
    from sklearn.metrics import roc_auc_score

    areas = []
    for own in HALVES:
        asked = half == own
        weights = equal_weights(labels[asked], synthetic[asked])
        areas.append(roc_auc_score(synthetic[asked], scores[asked], sample_weight=weights))
    return float(np.mean(areas))


def equal_weights(labels: Labels, synthetic: Flags) -> Values:
    """(n,), 1 on average: equal for all classes, in each for the real and the synthetic images."""
    group = 2 * labels + synthetic
    weights = 1 / np.bincount(group)[group]
    return weights / weights.mean()
