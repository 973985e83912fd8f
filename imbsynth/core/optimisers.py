"""Optimisers by name, each built from parameters, a learning rate and a weight decay."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch.nn import Parameter
from torch.optim import Optimizer

MOMENTUM = 0.9  # of SGD


def adam(parameters: Iterable[Parameter], *, lr: float, weight_decay: float = 0.0) -> Optimizer:
    """Adam (Kingma and Ba, 2015); the weight decay is added to the gradient."""
    return torch.optim.Adam(parameters, lr, weight_decay=weight_decay, fused=True)


def adamw(parameters: Iterable[Parameter], *, lr: float, weight_decay: float = 0.0) -> Optimizer:
    """Adam with the weight decay apart from the gradient (Loshchilov and Hutter, 2019)."""
    return torch.optim.AdamW(parameters, lr, weight_decay=weight_decay, fused=True)


def sgd(parameters: Iterable[Parameter], *, lr: float, weight_decay: float = 0.0) -> Optimizer:
    """Stochastic gradient descent with Nesterov's momentum (Sutskever et al., 2013)."""
    return torch.optim.SGD(
        parameters, lr, MOMENTUM, weight_decay=weight_decay, nesterov=True, fused=True
    )
