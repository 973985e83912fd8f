"""Optimisers by name, each built from weights, a learning rate and a weight decay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

# Weights, or groups of them with options of their own, as torch.optim takes both.
Params = Iterable[Parameter] | Iterable[dict[str, Any]]


def adam(weights: Params, *, lr: float, weight_decay: float = 0.0, beta: float = 0.9) -> Optimizer:
    """Adam (Kingma and Ba, 2015); the weight decay is added to the gradient.

    beta: how much of the mean gradient stays per step; 0.5 is usual where two networks compete.
    """
    return torch.optim.Adam(weights, lr, (beta, 0.999), weight_decay=weight_decay, fused=True)


def adamw(weights: Params, *, lr: float, weight_decay: float = 0.0) -> Optimizer:
    """Adam with the weight decay apart from the gradient (Loshchilov and Hutter, 2019)."""
    return torch.optim.AdamW(weights, lr, weight_decay=weight_decay, fused=True)


def sgd(
    weights: Params, *, lr: float, weight_decay: float = 0.0, momentum: float = 0.9
) -> Optimizer:
    """Stochastic gradient descent with Nesterov's momentum (Sutskever et al., 2013)."""
    nesterov = momentum > 0  # torch refuses it without momentum
    return torch.optim.SGD(
        weights, lr, momentum, weight_decay=weight_decay, nesterov=nesterov, fused=True
    )


def decay_groups(weights: Iterable[Parameter]) -> list[dict[str, Any]]:
    """Weights in two groups: kernels and matrices, then biases and scales, which do not decay.

    Decay of the second kind hurts rather than helps (He et al., 2019, section 3.1). A group without
    weights is left out.
    """
    found = list(weights)
    kernels = [weight for weight in found if weight.ndim > 1]
    others = [weight for weight in found if weight.ndim <= 1]
    groups: list[dict[str, Any]] = [{"params": kernels}, {"params": others, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


@torch.no_grad()
def climb(weights: Sequence[Parameter], rho: float) -> list[Tensor]:
    """Move weights by rho g / ||g||_2 up the loss whose gradient g they hold; where they were.

    The first of the two steps of sharpness-aware minimisation (Foret et al., 2021, equation 2); the
    norm is that of all weights together.
    """
    before = [weight.detach().clone() for weight in weights]
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
    step = rho / norm.clamp(min=1e-12)
    for weight in weights:
        if weight.grad is not None:
            weight.addcmul_(weight.grad, step)
    return before
