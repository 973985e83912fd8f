from __future__ import annotations

import pytest
import torch

from imbsynth.core.near_copies import near_copies


def test_near_copies_by_hand() -> None:
    """Real points at 0, 4 and 12: to the nearest it is 4, 4 and 8, on average 16 / 3."""
    real = torch.tensor([[0.0], [4.0], [12.0]])
    made = torch.tensor([[0.0], [5.3], [5.4], [10.7], [-1.4]])
    found = near_copies(made, real)  # a quarter is 1.33
    assert found.is_copy.tolist() == [True, True, False, True, False]
    assert found.nearest.tolist() == [0, 1, 1, 2, 0]
    assert found.distance.tolist() == pytest.approx([0, 0.244, 0.2625, 0.244, 0.2625], abs=1e-3)


def test_images_are_compared_pixel_by_pixel() -> None:
    real = torch.rand(5, 1, 3, 4)
    found = near_copies(real[[3, 1]] + 1e-4, real)
    assert found.nearest.tolist() == [3, 1]
    assert found.is_copy.all()


def test_one_real_image_has_no_usual_distance() -> None:
    with pytest.raises(ValueError, match="1 points"):
        near_copies(torch.zeros(2, 3), torch.zeros(1, 3))
