"""What synthetic points are made of: parents with weights, and the formula that combines them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from imbsynth.core.row_streams import Rows


class Plan(NamedTuple):
    """Some rows of a class's plan, drawn before anything is computed.

    m rows of p parents each: images of the folder by their index. A row of weights adds up to 1.
    Without parents, the offsets are all there is: the noise that a generator turns into images.
    """

    rows: Rows  # (m,) which rows of the class's plan these are
    parents: NDArray[np.int64]  # (m, p)
    weights: NDArray[np.float64]  # (m, p)
    offsets: NDArray[np.float32] | None = None  # (m, ...) of the shape of a point, added in the end

    def some(self, places: NDArray[np.int64]) -> Plan:
        """Those at these places."""
        offsets = None if self.offsets is None else self.offsets[places]
        return Plan(self.rows[places], self.parents[places], self.weights[places], offsets)


def combine(parents: Sequence[Tensor], weights: Tensor, offsets: Tensor | None = None) -> Tensor:
    """x_new = x_1 + sum_j w_j (x_j - x_1) + offset, which is sum_j w_j x_j + offset.

    p float tensors of (m, ...) points, (m, p) weights whose rows add up to 1, (m, ...) offsets ->
    (m, ...) points. In this form a copy is exact, and so is a point between two equal ones.
    """
    first = parents[0]
    made = first
    for other, weight in zip(parents[1:], weights.to(first).T[1:], strict=True):
        made = made + weight.reshape(-1, *[1] * (first.ndim - 1)) * (other - first)
    return made if offsets is None else made + offsets
