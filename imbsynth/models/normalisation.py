"""Batch normalisation statistics that do not depend on the last few training batches."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn


def estimate_statistics(model: nn.Module, batches: Iterable[Tensor]) -> None:
    """Set the running means and variances to the plain average over `batches`, weights untouched.

    This is "precise batch normalisation" (Wu and Johnson, 2021). The moving average of training
    mostly reflects the last ten batches; where those are penalty batches of one class, its error is
    visible in the decoded images. Leaves the model in training mode.
    """
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
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
