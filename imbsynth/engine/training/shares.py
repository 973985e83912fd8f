"""A batch whose rows are shared out among processes: what they tell each other about it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn import Parameter

from imbsynth.models.global_norm import GlobalNorm
from imbsynth.runtime import World


def normalised_together(world: World) -> AbstractContextManager[object]:
    """Within it, batch normalisation takes the statistics of the whole batch, not of a share."""
    return nullcontext() if world.size == 1 else GlobalNorm(world.sum)


def part_of_mean(own: Tensor, count: int) -> Tensor:
    """What (n,) values contribute to the mean of `count`, of which others have the rest."""
    return own.mean() * (len(own) / count) if len(own) else own.sum()


def own_rows(whole: Tensor, world: World) -> Tensor:
    """The share of this process; its gradient arrives as that of all rows, in every process."""
    if world.size == 1:
        return whole
    passed: Tensor = _Whole.apply(whole, world)
    return passed[world.share(len(whole))]


class _Whole(Function):
    """Rows as they are, whose gradient is summed over the processes."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, world: World) -> Tensor:
        ctx.world = world
        return rows.view_as(rows)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        return ctx.world.sum(gradients[0]), None


def sum_gradients(weights: Sequence[Parameter], world: World) -> None:
    """Replace the gradient of each weight by its sum over the processes.

    A weight that has none in any process keeps none, and an optimiser leaves it as it is; one that
    has none in some processes, because their shares do not need it, counts as 0 there.
    """
    if world.size == 1:
        return
    # Between the CPUs, so that no GPU is waited for.
    has_one = world.sum(torch.tensor([weight.grad is not None for weight in weights]).int())
    learning = [weight for weight, number in zip(weights, has_one.tolist(), strict=True) if number]
    own = [torch.zeros_like(w) if w.grad is None else w.grad for w in learning]
    # One message for all: many small ones would take longer.
    sums = torch.cat([_in_memory(gradient) for gradient in own])
    world.add_up(sums)
    parts = sums.split([gradient.numel() for gradient in own])
    for weight, gradient, part in zip(learning, own, parts, strict=True):
        weight.grad = part.as_strided(gradient.shape, gradient.stride())


def _in_memory(gradient: Tensor) -> Tensor:
    """(values,) in the order of the memory, which is that of the weight in every process."""
    return gradient.as_strided((gradient.numel(),), (1,))
