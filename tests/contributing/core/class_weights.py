"""Weights that equalise classes of different sizes in a loss."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def effective_number_weights(counts: NDArray[np.int64], beta: float) -> NDArray[np.float64]:
    """w_k = (1 - beta) / (1 - beta^n_k), scaled to a mean of 1 (Cui et al., 2019).

    (K,) images per class -> (K,) weights; beta in [0, 1): 0 makes all weights equal, and towards 1
    they become the inverse of the counts.
    """
    weights = (1 - beta) / (1 - beta**counts)
    return weights / weights.mean()
