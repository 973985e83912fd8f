from __future__ import annotations

import numpy as np
import torch

from imbsynth.core.feature_views import Views
from imbsynth.core.flow_matching import flow


def test_two_normal_distributions_in_the_plane_are_learned() -> None:
    """A large and a rare class with other means and covariances."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [900, 300])
    shapes = np.array([[[1.0, 0.6], [0.0, 0.5]], [[0.4, 0.0], [-0.5, 1.0]]])
    means = np.array([[2.0, 2.0], [-3.0, 1.0]])
    points = np.einsum("ni,nij->nj", rng.normal(size=(1200, 2)), shapes[labels]) + means[labels]
    views = Views(torch.from_numpy(points).float()[None], labels)
    before = torch.get_rng_state()
    draw = flow(views, np.random.default_rng(0), steps=400)
    for label in (0, 1):
        own, made = points[labels == label], draw(label, np.arange(2000)).numpy()
        # A tenth of the features' deviation, about 3; the network is small and trained briefly.
        np.testing.assert_allclose(made.mean(0), own.mean(0), atol=0.3)
        np.testing.assert_allclose(np.cov(made.T), np.cov(own.T), atol=0.35)
    assert torch.equal(torch.get_rng_state(), before)
    again = flow(views, np.random.default_rng(0), steps=5)
    assert torch.equal(
        again(1, np.arange(9)), flow(views, np.random.default_rng(0), steps=5)(1, np.arange(9))
    )
