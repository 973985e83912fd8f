from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from imbsynth.core.principal import component_losses


@pytest.mark.parametrize("shape", [(40, 12), (9, 30), (13, 12), (2, 5)])
def test_losses_are_those_of_scikit_learn(shape: tuple[int, int]) -> None:
    points = np.random.default_rng(0).random(shape, np.float32)
    losses = component_losses(points)
    assert len(losses) == min(shape[0], shape[1] + 1)
    assert losses[0] == pytest.approx(points.astype(float).var(0).mean(), rel=1e-5)
    for k in range(1, len(losses)):
        fitted = PCA(k).fit(points)
        again = fitted.inverse_transform(fitted.transform(points))
        assert losses[k] == pytest.approx(((again - points) ** 2).mean(), rel=1e-3, abs=1e-7)


def test_equal_images_need_no_component() -> None:
    assert component_losses(np.ones((3, 4), np.float32)).tolist() == [0, 0, 0]
