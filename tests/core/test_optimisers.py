from __future__ import annotations

import pytest
import torch
from torch import nn

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
