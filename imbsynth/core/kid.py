"""The kernel distance of two sets of features: unbiased, so it suits small samples."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

ROWS = 512  # kernel rows computed at once


class Kid(NamedTuple):
    """An estimate and its uncertainty."""

    value: float  # unbiased: may be negative where the sets are similar
    error: float  # its standard error


def kernel_distance(real: Tensor, fake: Tensor) -> Kid:
    """Squared MMD with the kernel (x . y / d + 1)^3: (n, d), (m, d) features -> estimate.

    Bińkowski et al., 2018, take the mean over random subsets; this is the U-statistic over all
    pairs, of which that mean is an estimate. Its standard error is the jackknife's, since
    overlapping subsets give one that is too small. Raises ValueError for fewer than 3 features.
    """
    n, m = len(real), len(fake)
    if min(n, m) < 3:
        raise ValueError(f"{n} and {m} features: the jackknife needs 3")
    within_real, within_fake = _sums(real, real, own=True), _sums(fake, fake, own=True)
    to_fake, to_real = _sums(real, fake), _sums(fake, real)
    all_real, all_fake, across = (float(part.sum()) for part in (within_real, within_fake, to_fake))

    value = all_real / (n * (n - 1)) + all_fake / (m * (m - 1)) - 2 * across / (n * m)
    without_real = (
        (all_real - 2 * within_real) / ((n - 1) * (n - 2))
        + all_fake / (m * (m - 1))
        - 2 * (across - to_fake) / ((n - 1) * m)
    )
    without_fake = (
        all_real / (n * (n - 1))
        + (all_fake - 2 * within_fake) / ((m - 1) * (m - 2))
        - 2 * (across - to_real) / (n * (m - 1))
    )
    return Kid(value, (_jackknife(without_real) + _jackknife(without_fake)) ** 0.5)


def _sums(rows: Tensor, columns: Tensor, *, own: bool = False) -> Tensor:
    """(n,) float64: the kernel of each row with all columns; `own`: except itself."""
    columns = columns.to(torch.float64)
    dim = rows.shape[1]
    sums = []
    for block in rows.split(ROWS):
        block = block.to(torch.float64)
        total = _kernel(block @ columns.T, dim).sum(1)
        sums.append(total - _kernel(block.square().sum(1), dim) if own else total)
    return torch.cat(sums)


def _kernel(products: Tensor, dim: int) -> Tensor:
    return (products / dim + 1) ** 3


def _jackknife(left_out: Tensor) -> float:
    """The variance, from the values with one feature left out at a time."""
    n = len(left_out)
    return float((left_out - left_out.mean()).square().sum()) * (n - 1) / n
