"""Networks on batches of one shape."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from imbsynth.errors import UserError, option


def in_equal_batches(
    network: Callable[[Tensor], Tensor],
    inputs: Tensor,
    at_once: int,
    arithmetic: AbstractContextManager[None],
) -> Tensor:
    """(n, ...) inputs on the CPU -> (n, ...) outputs on the CPU, `at_once` rows at a time.

    The last batch is filled up with zeros: kernels are chosen by shape, and another one may round
    otherwise.
    """
    outputs = []
    with torch.inference_mode(), arithmetic:
        for batch in inputs.split(at_once):
            filled = batch.new_zeros(at_once, *batch.shape[1:])
            filled[: len(batch)] = batch
            outputs.append(network(filled)[: len(batch)].cpu())
    return torch.cat(outputs)


def all_finite(values: Tensor, network: str) -> Tensor:
    """The same values; UserError if some are not finite, which would silently become pixels."""
    if not values.isfinite().all():
        raise UserError(
            f"the {network} computes numbers out of range",
            f"its checkpoint is damaged or its training diverged: train it again with a lower "
            f"{option('lr')}",
        )
    return values
