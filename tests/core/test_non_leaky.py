from __future__ import annotations

import numpy as np
import pytest
import torch

from imbsynth.core.augmentation import Affine
from imbsynth.core.non_leaky import NUMBERS, Changes, changed, described, draw_changes


def test_an_image_that_is_told_to_be_unchanged_is() -> None:
    drawn = draw_changes(200, np.random.default_rng(0), flip=True)
    images = torch.rand(200, 1, 9, 8, generator=torch.Generator().manual_seed(0))
    told, made = described(drawn), changed(images, drawn)
    assert told.shape == (200, NUMBERS)
    assert np.abs(told).max() <= 1
    same = torch.from_numpy(told == 0).all(1)
    # Half are not moved, half are not mirrored.
    assert 0.15 < same.float().mean() < 0.35
    torch.testing.assert_close(made[same], images[same], atol=1e-5, rtol=0)
    moved = (made[~same] - images[~same]).abs().flatten(1).max(1).values
    assert moved.min() > 1e-3


def test_a_shift_and_a_mirrored_image_by_hand() -> None:
    images = torch.zeros(2, 1, 1, 25)
    images[:, 0, 0, 3] = 1
    still = np.zeros(2)
    shift = np.array([[0.08, 0.0], [0.0, 0.0]])  # two of 25 pixels
    drawn = Changes(Affine(still, still + 1, shift), np.array([False, True]))
    made = changed(images, drawn)
    assert made[0, 0, 0].argmax() == 5
    assert made[1, 0, 0].argmax() == 21
    assert described(drawn).tolist() == [[0, 0, 1, 0, 0], [0, 0, 0, 0, 1]]


def test_nothing_is_mirrored_unless_asked_for() -> None:
    drawn = draw_changes(100, np.random.default_rng(0), flip=False)
    assert not drawn.flip.any()
    assert described(drawn)[:, 4].tolist() == pytest.approx([0] * 100)
