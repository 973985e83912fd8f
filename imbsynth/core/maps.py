"""Maps of features in two dimensions: principal components, then t-SNE."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

COMPONENTS = 50  # kept before t-SNE, as its authors do (van der Maaten and Hinton, 2008)
PERPLEXITY = 30.0


def project_to_2d(features: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """(n, d) features -> (n, 2) positions; most near neighbors stay near."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    n, d = features.shape
    if n < 5:  # too few for neighborhoods
        return np.pad(features, ((0, 0), (0, max(0, 2 - d))))[:, :2]
    seed = int(rng.integers(2**31))
    kept = min(COMPONENTS, n - 1, d)
    reduced = PCA(kept, random_state=seed).fit_transform(features)
    perplexity = min(PERPLEXITY, (n - 1) / 3)
    start = "pca" if kept >= 2 else "random"
    return TSNE(perplexity=perplexity, init=start, random_state=seed).fit_transform(reduced)
