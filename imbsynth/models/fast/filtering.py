"""Convolutions of kernel 4 and stride 2 by minimal filtering (Winograd, 1980).

Along one direction, out[o] = sum over r, j in {0, 1} of kernel[2j + r] * image[2(o + j) + r - pad]:
each phase r is a filter of two taps j. Its m outputs come from the product of two polynomials,
which its values at m + 1 points determine: m + 1 multiplications instead of 2m. In both directions,
and summed over the channels, the multiplications at one pair of points are a matrix product: (9 /
14)^2 of the work for a map of 14x14 pixels, (4 / 6)^2 for 7x7 (Lavin and Gray, 2016, for stride 1).
The transposed convolution is the same product, read backwards.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Size = tuple[int, int]  # (height, width) in pixels
Matrix = NDArray[np.floating]

# Where the polynomials are evaluated, besides infinity. With these few small values, the rounding
# error is at most about 4 times that of a plain convolution with AVX2, and 14 with AVX-512, whose
# plain convolutions are more exact.
POINTS = (0.0, 1.0, -1.0, 0.5)


class Filtering:
    """The convolution of maps of one size, and its transpose.

    Axes: n images; c channels of h x w pixels; o channels of y x x pixels; r, s phases; j, k taps;
    p, q points at which the polynomials are evaluated.
    """

    def __init__(self, size: Size, padding: Size, out: Size) -> None:
        (rows, row_taps, row_outputs), (columns, column_taps, column_outputs) = (
            _side(*side) for side in zip(size, padding, out, strict=True)
        )
        self.size, self.out = size, out
        self.rows = float32(rows.reshape(-1, size[0]))  # (p r, h)
        both_phases = np.einsum("qsw,rt->qrstw", columns, np.eye(2))
        self.columns = float32(both_phases.reshape(-1, 2 * size[1]))  # (q r s, r w)
        self.taps = float32(np.kron(row_taps, column_taps))  # (p q, j k)
        self.outputs = float32(np.kron(row_outputs, column_outputs))  # (p q, y x)

    def convolve(self, images: Tensor, kernel: Tensor) -> Tensor:
        """(n, c, h, w) images and (o, c, 4, 4) -> (n, o, y, x)."""
        n, o = len(images), len(kernel)
        pixels = images.permute(0, 2, 3, 1)
        values = torch.bmm(self.rows.expand(n, -1, -1), pixels.reshape(n, self.size[0], -1))
        values = values.view(-1, 2 * self.size[1], images.shape[1])
        values = torch.bmm(self.columns.expand(len(values), -1, -1), values)
        values = values.view(n, len(self.taps), -1).transpose(0, 1)  # (p q, n, r s c)
        filters = self.taps @ _phases(kernel).permute(0, 2, 3, 1).reshape(4, -1)
        products = torch.bmm(values, filters.view(len(values), -1, o))
        made = self.outputs.t() @ products.view(len(products), -1)
        made = made.view(*self.out, n, o).permute(2, 3, 0, 1)
        return made.contiguous(memory_format=torch.channels_last)

    def transposed(self, maps: Tensor, kernel: Tensor) -> Tensor:
        """(n, o, y, x) maps and (o, c, 4, 4) -> (n, c, h, w)."""
        n, o = maps.shape[:2]
        products = self.outputs @ maps.permute(2, 3, 0, 1).reshape(-1, n * o)
        filters = self.taps @ _phases(kernel).reshape(4, -1)
        values = torch.bmm(products.view(-1, n, o), filters.view(len(products), o, -1))
        values = values.transpose(0, 1).reshape(-1, len(self.columns), kernel.shape[1])
        values = torch.bmm(self.columns.t().expand(len(values), -1, -1), values)
        pixels = torch.bmm(self.rows.t().expand(n, -1, -1), values.view(n, len(self.rows), -1))
        return pixels.view(n, *self.size, -1).permute(0, 3, 1, 2)


def _phases(kernel: Tensor) -> Tensor:
    """(o, c, 4, 4) -> (j k, o, r s, c): the taps of each phase."""
    taps = kernel.permute(2, 3, 0, 1).unflatten(1, (2, 2)).unflatten(0, (2, 2))
    return taps.permute(0, 2, 4, 1, 3, 5).flatten(3, 4).flatten(0, 1)


def _side(size: int, padding: int, out: int) -> tuple[Matrix, Matrix, Matrix]:
    """One direction: pixels to values (p, 2, size), taps to values (p, 2), values to out (p, out).

    The `out` pixels are split into runs of at most len(POINTS), each with values of its own.
    """
    parts = []
    runs = np.array_split(np.arange(out), -(-out // len(POINTS)))
    for run in runs:
        values, taps, outputs = _minimal(len(run))
        pixels = 2 * (run[0] + np.arange(len(run) + 1)) + np.arange(2)[:, None] - padding
        taking = pixels[..., None] == np.arange(size)  # (2, m + 1, size); padding matches no pixel
        placed = np.zeros((len(outputs), out))
        placed[:, run] = outputs
        parts.append((np.einsum("pi,rih->prh", values, taking), taps, placed))
    values, taps, outputs = map(np.concatenate, zip(*parts, strict=True))
    return values, taps, outputs


def _minimal(m: int) -> tuple[Matrix, Matrix, Matrix]:
    """For m outputs of a filter of two taps: pixels to values, taps to values, values to outputs.

    Polynomials of degree m - 1 and 1 are multiplied at m + 1 points; this is the transpose.
    """

    def values(degree: int) -> Matrix:
        finite = np.array(POINTS[:m])[:, None] ** np.arange(degree + 1)
        return np.vstack([finite, np.eye(degree + 1)[-1]])  # at infinity the last coefficient

    return np.linalg.inv(values(m)).T, values(1), values(m - 1)


def float32(matrix: Matrix) -> Tensor:
    """The matrix as a tensor that float32 maps are multiplied by."""
    return torch.from_numpy(matrix.astype(np.float32))
