"""A U-Net that says how images move from noise to pictures, given time, class and changes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

LARGEST_MAP = 8  # pixels per side of the smallest map, on which there is attention
MOST_DOUBLED = 4  # times the first width: channels of the deepest maps
GROUPS = 8  # of channels that are normalised together
HEAD = 32  # channels of a head of attention at most
FREQUENCIES = 32  # of the sines and cosines that tell the time
LOWEST, HIGHEST = 1.0, 1000.0  # of these frequencies, in radians over the whole time


class UNetSize(NamedTuple):
    """How large a U-Net is."""

    patch: int  # pixels per side that are one place of the first map
    width: int  # channels of the first map
    blocks: int  # residual blocks per map, down and again up
    deep: int  # residual blocks on the smallest map


NETWORKS = {
    "small": UNetSize(patch=2, width=48, blocks=1, deep=3),
    "large": UNetSize(patch=1, width=64, blocks=2, deep=4),
}


class UNet(nn.Module):
    """Residual blocks on ever smaller maps and back, after Ho et al. (2020).

    With the time, the class and the changes in every block, as scale and shift of what is
    normalised (Dhariwal and Nichol, 2021), and attention on the smallest map. Departures: maps of
    the way down are added on the way up, not concatenated, which halves the first product of a
    block; the first map may be made of patches (as in Hoogeboom et al., 2023). Images of any size
    are padded with zeros until their maps can be halved.
    """

    def __init__(self, size: Sequence[int], classes: int, changes: int, network: UNetSize) -> None:
        """size: (c, h, w) of the images; classes: of labels; changes: numbers that describe one."""
        super().__init__()
        channels, *sides = size
        self.patch = network.patch
        self.levels = _halvings([-(-side // network.patch) for side in sides])
        unit = network.patch * 2**self.levels
        self.padding = [(0, -side % unit) for side in sides]
        widths = [network.width * min(2**k, MOST_DOUBLED) for k in range(self.levels + 1)]
        told = 4 * network.width
        inputs = channels * network.patch**2

        self.time = nn.Sequential(
            nn.Linear(2 * FREQUENCIES, told), nn.SiLU(), nn.Linear(told, told)
        )
        self.label = nn.Embedding(classes + 1, told)  # the last one: no class
        self.change = nn.Linear(changes, told, bias=False)  # no change adds nothing
        self.stem = nn.Conv2d(inputs, widths[0], 3, padding=1)
        self.down, self.widening = nn.ModuleList(), nn.ModuleList()
        self.up, self.narrowing = nn.ModuleList(), nn.ModuleList()
        for width, wider in pairwise(widths):
            self.down.append(_Blocks(width, told, network.blocks))
            self.widening.append(nn.Conv2d(width, wider, 1))
            self.narrowing.append(nn.Conv2d(wider, width, 1))
            self.up.append(_Blocks(width, told, network.blocks))
        self.deep = _Blocks(widths[-1], told, network.deep, attention=True)
        self.norm = nn.GroupNorm(GROUPS, widths[0])
        self.last = _zeroed(nn.Conv2d(widths[0], inputs, 3, padding=1))

    def forward(self, images: Tensor, times: Tensor, labels: Tensor, changes: Tensor) -> Tensor:
        """(n, c, h, w), (n,) in [0, 1], (n,) classes, (n, changes) -> (n, c, h, w).

        The class after the last one stands for none.
        """
        told = self.time(waves(times)) + self.label(labels) + self.change(changes)
        told = functional.silu(told)
        height, width = images.shape[2:]
        hidden = self.stem(self._patches(images))
        passed = []
        for blocks, widening in zip(self.down, self.widening, strict=True):
            hidden = blocks(hidden, told)
            passed.append(hidden)
            hidden = widening(functional.avg_pool2d(hidden, 2))
        hidden = self.deep(hidden, told)
        for level in reversed(range(self.levels)):
            hidden = functional.interpolate(self.narrowing[level](hidden), scale_factor=2.0)
            hidden = self.up[level](hidden + passed[level], told)
        found: Tensor = self.last(functional.silu(self.norm(hidden)))
        return functional.pixel_shuffle(found, self.patch)[:, :, :height, :width]

    def _patches(self, images: Tensor) -> Tensor:
        (top, bottom), (left, right) = self.padding
        padded = functional.pad(images, (left, right, top, bottom))
        patches = functional.pixel_unshuffle(padded, self.patch)
        return patches.contiguous(memory_format=torch.channels_last)


def waves(times: Tensor) -> Tensor:
    """(n,) times in [0, 1] -> (n, 2 FREQUENCIES) sines and cosines (Vaswani et al., 2017)."""
    steps = torch.linspace(math.log(LOWEST), math.log(HIGHEST), FREQUENCIES).to(times)
    angles = times[:, None] * steps.exp()
    return torch.cat([angles.sin(), angles.cos()], 1)


class _Blocks(nn.Module):
    """Residual blocks of one width, each with attention after it if asked for."""

    def __init__(self, width: int, told: int, count: int, *, attention: bool = False) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(_Residual(width, told) for _ in range(count))
        self.attention = nn.ModuleList(_Attention(width) for _ in range(count if attention else 0))

    def forward(self, hidden: Tensor, told: Tensor) -> Tensor:
        for place, block in enumerate(self.blocks):
            hidden = block(hidden, told)
            if self.attention:
                hidden = self.attention[place](hidden)
        return hidden


class _Residual(nn.Module):
    """x + two convolutions of it, each normalised first; at the start, x itself."""

    def __init__(self, width: int, told: int) -> None:
        super().__init__()
        self.first = nn.GroupNorm(GROUPS, width)
        self.convolution = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.GroupNorm(GROUPS, width, affine=False)  # the scale is told
        self.scale = nn.Linear(told, 2 * width)
        self.last = _zeroed(nn.Conv2d(width, width, 3, padding=1))

    def forward(self, hidden: Tensor, told: Tensor) -> Tensor:
        found = self.convolution(functional.silu(self.first(hidden)))
        scale, shift = self.scale(told)[:, :, None, None].chunk(2, 1)
        found = torch.addcmul(shift, self.second(found), 1 + scale)
        found = self.last(functional.silu(found))
        return hidden + found


class _Attention(nn.Module):
    """x + what each place takes from all others (Vaswani et al., 2017); at the start, x itself."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = -(-width // HEAD)
        while width % self.heads:
            self.heads += 1
        self.norm = nn.GroupNorm(GROUPS, width)
        self.asked = nn.Linear(width, 3 * width)
        self.last = _zeroed(nn.Linear(width, width))

    def forward(self, hidden: Tensor) -> Tensor:
        size = hidden.shape[2:]
        places = self.norm(hidden).flatten(2).transpose(1, 2)
        parts = self.asked(places).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        query, key, value = parts.unbind(0)
        with sdpa_kernel(SDPBackend.MATH):  # on CUDA, the others do not repeat their results
            taken = functional.scaled_dot_product_attention(query, key, value)
        found = self.last(taken.transpose(1, 2).flatten(2))
        return hidden + found.transpose(1, 2).unflatten(2, size)


def _zeroed(layer: nn.Conv2d | nn.Linear) -> nn.Module:
    """The layer with weights 0: what it adds is learned from nothing."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def _halvings(size: Sequence[int]) -> int:
    """How often a map is halved, rounded up, until it is small."""
    count = 0
    while max(size) > LARGEST_MAP * 2**count:
        count += 1
    return count
