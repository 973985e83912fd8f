from __future__ import annotations

import pytest
import torch
from torch import nn

from imbsynth.core.optimisers import climb, decay_groups, sgd
from imbsynth.core.tables import OPTIMISERS


@pytest.mark.parametrize("name", list(OPTIMISERS))
def test_every_optimiser_descends(name: str) -> None:
    weight = nn.Parameter(torch.tensor([1.0, -2.0]))
    optimiser = OPTIMISERS[name].load()([weight], lr=0.05, weight_decay=0.0)
    for _ in range(200):
        optimiser.zero_grad()
        weight.square().sum().backward()
        optimiser.step()
    assert weight.abs().max() < 0.05


def test_decay_apart_from_the_gradient_shrinks_weights_without_one() -> None:
    """AdamW: w (1 - lr * decay) where the gradient is zero (Loshchilov and Hutter, 2019)."""
    weight = nn.Parameter(torch.tensor([1.0]))
    optimiser = OPTIMISERS["adamw"].load()([weight], lr=0.1, weight_decay=0.5)
    weight.grad = torch.zeros(1)
    optimiser.step()
    torch.testing.assert_close(weight.detach(), torch.tensor([0.95]))


def test_nesterovs_first_step_by_hand() -> None:
    """v = g; w - lr (g + 0.9 v)."""
    weight = nn.Parameter(torch.tensor([0.0]))
    optimiser = OPTIMISERS["sgd"].load()([weight], lr=0.1, weight_decay=0.0)
    weight.grad = torch.ones(1)
    optimiser.step()
    torch.testing.assert_close(weight.detach(), torch.tensor([-0.19]))


def test_without_momentum_sgd_is_plain() -> None:
    weight = nn.Parameter(torch.tensor([0.0]))
    optimiser = sgd([weight], lr=0.1, momentum=0.0)
    weight.grad = torch.ones(1)
    optimiser.step()
    torch.testing.assert_close(weight.detach(), torch.tensor([-0.1]))


def test_biases_and_scales_do_not_decay() -> None:
    dense = nn.Linear(2, 2)
    nn.init.ones_(dense.bias)
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), dense)
    before = [weight.detach().clone() for weight in network.parameters()]
    optimiser = sgd(decay_groups(network.parameters()), lr=0.1, weight_decay=0.5, momentum=0.0)
    for weight in network.parameters():
        weight.grad = torch.zeros_like(weight)
    optimiser.step()
    for weight, old in zip(network.parameters(), before, strict=True):
        torch.testing.assert_close(weight.detach(), old * (0.95 if old.ndim > 1 else 1))


def test_the_climb_of_sam_by_hand() -> None:
    """rho g / ||g|| with g = (3, 4) over both weights."""
    first, second = nn.Parameter(torch.tensor([1.0])), nn.Parameter(torch.tensor([2.0]))
    first.grad, second.grad = torch.tensor([3.0]), torch.tensor([4.0])
    before = climb([first, second], 0.5)
    torch.testing.assert_close(torch.cat([first, second]).detach(), torch.tensor([1.3, 2.4]))
    assert torch.cat(before).tolist() == [1, 2]
