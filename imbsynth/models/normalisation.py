"""Batch normalisation statistics that do not depend on the last few training batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


def estimate_statistics(model: nn.Module, batches: Iterable[Tensor]) -> None:
    """Set the running means and variances to the plain average over `batches`, weights untouched.

    This is "precise batch normalisation" (Wu and Johnson, 2021). The moving average of training
    mostly reflects the last ten batches; where those are penalty batches of one class, its error is
    visible in the decoded images. Leaves the model in training mode.
    """
    norms = _norms(model)
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # torch takes the plain average then
    model.train()
    with torch.no_grad():
        for batch in batches:
            model(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


@contextmanager
def statistics_kept(model: nn.Module) -> Iterator[None]:
    """Within the block, running means and variances stay as they are, in training mode too."""
    norms = _norms(model)
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0  # the share of a new batch
    try:
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


def _norms(model: nn.Module) -> list[nn.BatchNorm1d | nn.BatchNorm2d]:
    kinds = nn.BatchNorm1d | nn.BatchNorm2d
    return [module for module in model.modules() if isinstance(module, kinds)]
