"""Principal components: how well images can be told from a few numbers each, linearly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def component_losses(points: NDArray[np.float32]) -> Values:
    """(n, d) -> (m,): the mean squared error of the mean and 0, 1, 2... components, m - 1 at most.

    Per coordinate, of the points that the components are fitted to, so m = min(n, d + 1). From the
    eigenvalues alone, of the smaller of the two matrices that share them.
    """
    centred = points - points.mean(0)
    n, d = centred.shape
    square = centred @ centred.T if n < d else centred.T @ centred
    variances = np.linalg.eigvalsh(square.astype(np.float64))[::-1].clip(0) / (n * d)
    explained = np.concatenate([[0.0], np.cumsum(variances)])
    return (variances.sum() - explained)[: min(n, d + 1)].clip(0)
