from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from imbsynth.engine.training.average import Average, decay_at
from imbsynth.engine.training.states import Place


def test_decays_by_hand() -> None:
    assert [decay_at(0.9, t) for t in (0, 8, 80, 1000)] == [0.1, 0.5, 0.9, 0.9]


def test_the_average_is_torchs() -> None:
    """Of weights and statistics, over 150 steps: past the one from which the decay is constant."""
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    step = 0

    def average_of(old: Tensor, new: Tensor, _count: Tensor | int) -> Tensor:
        return torch.lerp(old, new, 1 - decay_at(0.9, step)) if old.is_floating_point() else new

    expected = AveragedModel(model, avg_fn=average_of, use_buffers=True)
    found = Average(model, 0.9)
    optimiser = torch.optim.SGD(model.parameters(), 0.01)
    for step in range(150):
        optimiser.zero_grad()
        model(torch.rand(4, 1, 5, 5)).sigmoid().mean().backward()
        optimiser.step()
        expected.update_parameters(model)
        found.update(Place(step // 50, step % 50, 3, 50))
    torch.testing.assert_close(found.average, expected.module.state_dict())


def test_the_network_shows_the_average_for_a_while() -> None:
    model = nn.Linear(1, 1, bias=False)
    average = Average(model, 0.5)
    for step, weight in enumerate([2.0, 4.0]):
        nn.init.constant_(model.weight, weight)
        average.update(Place(0, step, 1, 2))
    with average.shown():
        assert abs(model.weight.item() - (4 + (2 - 4) * 2 / 11)) < 1e-6
    assert model.weight.item() == 4
