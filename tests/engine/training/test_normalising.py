"""Classifiers normalise by the moments of their training images."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from imbsynth.engine.training.normalising import normalise_by
from imbsynth.models.classifiers import Classifier, ImageShape

SIDE = 32  # of images of which a thousand are one block


@given(images=st.integers(2, 30), channels=st.sampled_from([1, 3]), seed=st.integers(0, 99))
def test_the_moments_are_those_of_numpy(images: int, channels: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 256, (images, channels, 8, 8), dtype=np.uint8)
    chosen = random.permutation(images)[: images // 2 + 1]
    model = Classifier("cnn", ImageShape(channels, 8, 8), 2)
    normalise_by(model, torch.from_numpy(pixels), chosen)
    values = pixels[chosen] / 255.0
    # float32 in the model, whose last digit is 6e-8 of the value.
    np.testing.assert_allclose(model.mean.flatten(), values.mean((0, 2, 3)), rtol=2e-7)
    np.testing.assert_allclose(model.deviation.flatten(), values.std((0, 2, 3)), rtol=2e-7)


def test_the_order_of_the_images_does_not_matter() -> None:
    pixels = torch.randint(0, 256, (2500, 1, SIDE, SIDE), dtype=torch.uint8)
    there, back = (Classifier("cnn", ImageShape(1, SIDE, SIDE), 2) for _ in range(2))
    normalise_by(there, pixels, np.arange(2500))
    normalise_by(back, pixels, np.arange(2500)[::-1].copy())
    assert torch.equal(there.mean, back.mean)
    assert torch.equal(there.deviation, back.deviation)


def test_a_channel_that_is_the_same_everywhere_is_only_shifted() -> None:
    model = Classifier("cnn", ImageShape(3, 8, 8), 2)
    normalise_by(model, torch.full((4, 3, 8, 8), 51, dtype=torch.uint8), np.arange(4))
    assert model.deviation.flatten().tolist() == [1.0] * 3
    np.testing.assert_allclose(model.mean.flatten(), 0.2, rtol=1e-7)
