from __future__ import annotations

import torch
from torch import nn

from imbsynth.models.normalisation import estimate_statistics, statistics_kept


def test_the_statistics_are_those_of_all_batches_alike() -> None:
    model = nn.Sequential(nn.BatchNorm2d(2))
    batches = [torch.randn(8, 2, 3, 3) + i for i in range(5)]
    for _ in range(30):
        model(torch.full((2, 2, 1, 1), 50.0))  # what training ended with
    estimate_statistics(model, batches)
    everything = torch.cat(batches)
    norm = model[0]
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    torch.testing.assert_close(norm.running_mean, everything.mean((0, 2, 3)))
    assert norm.momentum == 0.1


def test_statistics_are_kept_for_a_while_and_batches_still_normalised_by_their_own() -> None:
    norm = nn.BatchNorm2d(1)
    images = torch.rand(8, 1, 4, 4) + 5
    with statistics_kept(norm):
        found = norm(images)
    assert norm.running_mean is not None
    assert norm.running_mean.item() == 0
    assert abs(found.mean().item()) < 1e-5
    norm(images)
    assert norm.running_mean.item() > 0.1
