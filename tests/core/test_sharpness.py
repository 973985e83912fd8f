from __future__ import annotations

import numpy as np
import pytest

from imbsynth.core.sharpness import TRACES, laplacian_variance, noise, rings


def test_the_rings_hold_all_power() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (1, 1, 9, 9), np.uint8)
    flat = np.full_like(pixels, 100)
    assert rings(flat)[0, 0] == pytest.approx((81 * 100 / 255) ** 2)
    assert rings(flat)[0, 1:] == pytest.approx(0, abs=1e-9)
    assert (rings(pixels) > 0).all()
    assert laplacian_variance(flat) == 0 < laplacian_variance(pixels)


def test_noise_is_seen_and_planes_and_edges_are_not() -> None:
    plane = np.add.outer(3 * np.arange(9), 2 * np.arange(9)).astype(np.uint8)
    edge = np.repeat([[0], [200]], [4, 5], 0).repeat(9, 1).astype(np.uint8)
    still = noise(np.stack([plane, edge])[:, None])
    assert still == pytest.approx(np.log(1e-4), abs=1e-6)
    speckled = np.random.default_rng(0).integers(0, 99, (1, 3, 9, 9), np.uint8)
    assert (noise(speckled)[0] > still[0] + 3).all()
    assert (np.diff(noise(speckled)[0]) > 0).all()  # at growing shares of the pixels


def test_every_trace_has_a_finite_row_per_image() -> None:
    pixels = np.zeros((3, 1, 9, 8), np.uint8)
    pixels[1] = np.random.default_rng(0).integers(0, 255, (1, 9, 8))
    for trace in TRACES.values():
        found = trace(pixels)
        assert len(found) == 3
        assert np.isfinite(found).all()
