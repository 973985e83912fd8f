from __future__ import annotations

import pytest
import torch
from torch import nn

from imbsynth.models.convolutions import Doubling, Halving, halved

SIZES = [(h, w) for h in range(1, 10) for w in range(1, 10)]


@pytest.mark.parametrize("size", SIZES)
def test_halving_equals_the_library_convolution_and_halves(size: tuple[int, int]) -> None:
    layer = Halving(3, 5, size)
    images = torch.randn(4, 3, *size)
    made = layer(images)
    assert made.shape == (4, 5, *halved(size))
    # Sums of 48 products of order 1 in float32, in another order.
    torch.testing.assert_close(made, nn.Conv2d.forward(layer, images), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("size", SIZES)
def test_doubling_equals_the_library_convolution_and_undoes_halving(size: tuple[int, int]) -> None:
    layer = Doubling(5, 3, size, bias=True)
    maps = torch.randn(4, 5, *halved(size))
    made = layer(maps)
    assert made.shape == (4, 3, *size)
    expected = nn.ConvTranspose2d.forward(layer, maps)
    torch.testing.assert_close(made, expected, rtol=1e-5, atol=1e-5)


def test_the_state_dicts_are_the_librarys() -> None:
    plain = nn.Conv2d(3, 5, 4, 2, 1, bias=False)
    Halving(3, 5, (2, 3)).load_state_dict(plain.state_dict())
    mirrored = nn.ConvTranspose2d(5, 3, 4, 2, 1)
    Doubling(5, 3, (2, 3), bias=True).load_state_dict(mirrored.state_dict())


def test_gradients_equal_the_library_convolutions() -> None:
    layer = Halving(3, 5, (3, 3))
    images = torch.randn(4, 3, 3, 3)
    (ours,) = torch.autograd.grad(layer(images).square().sum(), layer.weight)
    expected = nn.Conv2d.forward(layer, images).square().sum()
    (theirs,) = torch.autograd.grad(expected, layer.weight)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
