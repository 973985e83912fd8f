from __future__ import annotations

import pytest
import torch

from imbsynth.core import novelty
from imbsynth.core.novelty import median, nearest_distances


def test_distances_to_the_nearest_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.tensor([[0, 0], [255, 255]], dtype=torch.uint8)
    others = torch.tensor([[0, 255], [153, 0], [255, 204]], dtype=torch.uint8)
    assert nearest_distances(images, others).tolist() == pytest.approx([0.6, 0.2])
    monkeypatch.setattr(novelty, "VALUES", 2)  # one image at a time
    assert nearest_distances(images, others).tolist() == pytest.approx([0.6, 0.2])


def test_a_median_is_between_the_two_in_the_middle() -> None:
    assert median(torch.tensor([4.0, 1.0, 2.0, 9.0])) == 3
