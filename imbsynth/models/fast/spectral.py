"""The full convolution of small maps by the discrete Fourier transform.

A transposed convolution of stride 1 is a product of polynomials in two variables. As many of its
values at roots of unity as the result has pixels determine it. They come in pairs of conjugates,
and a complex product is three real ones (Gauss): 1.5 multiplications per pixel of the result, where
the plain sum takes one for each pair of a pixel of the map and one of the kernel: 148 instead of
784 from 7x7 to 10x10 with a kernel of 4x4. Summed over the channels, the multiplications at one
root are a matrix product. Rounding errors are at most about 3 times those of a plain sum, but
relative to the largest value of the whole map, not of the neighborhood of a pixel.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbsynth.models.fast.filtering import Matrix, Size, float32


class Spectral:
    """The full convolution of maps of one size with kernels of one size.

    Axes: n maps of c channels, h x w pixels; kernels of j x k taps; o channels of y x x pixels; v
    real products.
    """

    def __init__(self, size: Size, kernel: Size) -> None:
        self.out = (size[0] + kernel[0] - 1, size[1] + kernel[1] - 1)
        maps, taps, outputs = _products(size, kernel, self.out)
        self.maps = float32(maps)  # (v, h w)
        self.taps = float32(taps)  # (v, j k)
        self.outputs = float32(outputs)  # (v, y x)

    def convolve(self, maps: Tensor, kernel: Tensor) -> Tensor:
        """(n, c, h, w) maps and (c, o, j, k) -> (n, o, y, x)."""
        (n, c), o = maps.shape[:2], kernel.shape[1]
        values = self.maps @ maps.permute(2, 3, 0, 1).reshape(-1, n * c)
        filters = self.taps @ kernel.permute(2, 3, 0, 1).reshape(-1, c * o)
        products = torch.bmm(values.view(-1, n, c), filters.view(-1, c, o))
        made = self.outputs.t() @ products.view(len(products), -1)
        return made.view(*self.out, n, o).permute(2, 3, 0, 1)


def _products(size: Size, kernel: Size, out: Size) -> tuple[Matrix, Matrix, Matrix]:
    """For each real product: its factor from the map, that from the kernel, and where it is added.

    In both directions the result is the sum over v of outputs[v] (maps[v] map) (taps[v] kernel).
    """
    maps, taps, outputs = [], [], []
    for powers, pair in _roots(out):
        of_map = powers[: size[0], : size[1]].ravel()
        of_kernel = powers[: kernel[0], : kernel[1]].ravel()
        back = (1 + pair) * powers.conj().ravel() / powers.size
        if pair:  # (a + bi)(c + di) by c (a + b), a (d - c) and b (c + d)
            a, b, c, d = of_map.real, of_map.imag, of_kernel.real, of_kernel.imag
            maps += [a + b, a, b]
            taps += [c, d - c, c + d]
            outputs += [back.real - back.imag, -back.imag, -back.real]
        else:
            maps.append(of_map.real)
            taps.append(of_kernel.real)
            outputs.append(back.real)
    return np.array(maps), np.array(taps), np.array(outputs)


def _roots(out: Size) -> Iterator[tuple[NDArray[np.complexfloating], bool]]:
    """For one root of each conjugate pair: its powers, (y, x), and whether it has a partner.

    A real root has none.
    """
    height, width = out
    rows, columns = (
        np.exp(-2j * np.pi * np.outer(np.arange(side), np.arange(side)) / side) for side in out
    )
    for i in range(height):
        for j in range(width):
            other = (-i % height, -j % width)
            if (i, j) <= other:
                yield np.outer(rows[i], columns[j]), (i, j) != other
