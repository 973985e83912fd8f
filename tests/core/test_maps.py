from __future__ import annotations

import numpy as np
import pytest

from imbsynth.core.maps import project_to_2d


def test_far_groups_stay_apart_and_the_same_seed_gives_the_same_map() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 80)).astype(np.float32)
    features[30:] += 50
    positions = project_to_2d(features, np.random.default_rng(1))
    assert positions.shape == (60, 2)
    middles = positions[:30].mean(0), positions[30:].mean(0)
    within = np.linalg.norm(positions[:30] - middles[0], axis=1).max()
    assert np.linalg.norm(middles[0] - middles[1]) > within
    assert np.array_equal(positions, project_to_2d(features, np.random.default_rng(1)))


@pytest.mark.parametrize(("n", "d"), [(1, 1), (2, 7), (4, 1), (5, 1), (6, 3)])
def test_a_handful_of_points_has_a_map_too(n: int, d: int) -> None:
    features = np.random.default_rng(0).normal(size=(n, d)).astype(np.float32)
    positions = project_to_2d(features, np.random.default_rng(1))
    assert positions.shape == (n, 2)
    assert np.isfinite(positions).all()
