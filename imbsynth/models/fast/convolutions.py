"""Convolutions of kernel 4 that halve, double or grow maps of any height and width."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from imbsynth.models.fast import switch
from imbsynth.models.fast.filtering import Filtering, Size
from imbsynth.models.fast.spectral import Spectral

KERNEL, STRIDE = 4, 2


def halved(size: Size) -> Size:
    """(height, width) after one halving convolution: half, rounded down, and at least 1."""
    return max(1, size[0] // 2), max(1, size[1] // 2)


class Halving(nn.Conv2d):
    """(n, in, h, w) -> (n, out, max(1, h // 2), max(1, w // 2)).

    An `nn.Conv2d` with the same state dict. Where the result is a single pixel, it is one matrix
    product with the part of the kernel that meets the image; other small maps take `Filtering`.
    """

    def __init__(self, in_channels: int, out_channels: int, size: Size) -> None:
        padding = _padding(size)
        super().__init__(in_channels, out_channels, KERNEL, STRIDE, padding, bias=False)
        self.part = _kernel_part(size, padding) if halved(size) == (1, 1) else None
        self.filtering = _filtering((in_channels, out_channels), size, padding)

    def forward(self, images: Tensor) -> Tensor:
        if self.part is not None and switch.enabled():
            weight = self.weight.permute(0, 2, 3, 1)[:, self.part[0], self.part[1]].flatten(1)
            return functional.linear(images.permute(0, 2, 3, 1).flatten(1), weight)[..., None, None]
        if self.filtering is not None and switch.filtering_pays(images, self.filtering.out):
            return self.filtering.convolve(images, self.weight)
        return super().forward(images)


class Doubling(nn.ConvTranspose2d):
    """The mirror of `Halving`: (n, in, *halved(size)) -> (n, out, *size)."""

    def __init__(self, in_channels: int, out_channels: int, size: Size, *, bias: bool) -> None:
        start, padding = halved(size), _padding(size)
        rows, columns = (
            side - ((before - 1) * STRIDE - 2 * pad + KERNEL)
            for side, before, pad in zip(size, start, padding, strict=True)
        )
        super().__init__(
            in_channels,
            out_channels,
            KERNEL,
            STRIDE,
            padding,
            output_padding=(rows, columns),
            bias=bias,
        )
        self.part = _kernel_part(size, padding) if start == (1, 1) else None
        self.filtering = _filtering((in_channels, out_channels), size, padding)

    def forward(self, images: Tensor, output_size: list[int] | None = None) -> Tensor:
        if self.part is not None and switch.enabled():
            weight = self.weight.permute(0, 2, 3, 1)[:, self.part[0], self.part[1]]
            pixels = images.flatten(1) @ weight.flatten(1)
            pixels = pixels.unflatten(1, weight.shape[1:]).permute(0, 3, 1, 2)
        elif self.filtering is not None and switch.filtering_pays(images, self.filtering.out):
            pixels = self.filtering.transposed(images, self.weight)
        else:
            return super().forward(images, output_size)
        return pixels if self.bias is None else pixels + self.bias[:, None, None]


class Growing(nn.ConvTranspose2d):
    """(n, in, h, w) -> (n, out, h + 3, w + 3): an `nn.ConvTranspose2d` of stride 1 without bias.

    With the same state dict. Small maps take `Spectral`.
    """

    def __init__(self, in_channels: int, out_channels: int, size: Size) -> None:
        super().__init__(in_channels, out_channels, KERNEL, bias=False)
        grown = (size[0] + KERNEL - 1, size[1] + KERNEL - 1)
        fits = switch.can_transform((in_channels, out_channels), grown)
        self.spectral = Spectral(size, (KERNEL, KERNEL)) if fits else None

    def forward(self, images: Tensor, output_size: list[int] | None = None) -> Tensor:
        if self.spectral is not None and switch.pays(images):
            return self.spectral.convolve(images, self.weight)
        return super().forward(images, output_size)


def _padding(size: Size) -> Size:
    """One pixel on each side; two where the map is one pixel across, so that the kernel fits."""
    return (2 if size[0] == 1 else 1), (2 if size[1] == 1 else 1)


def _filtering(channels: tuple[int, int], size: Size, padding: Size) -> Filtering | None:
    smaller = halved(size)
    return Filtering(size, padding, smaller) if switch.can_filter(channels, smaller) else None


def _kernel_part(size: Size, padding: Size) -> tuple[slice, slice]:
    """The rows and columns of the kernel that meet an image of `size`; the rest meets padding."""
    rows, columns = (slice(pad, pad + side) for side, pad in zip(size, padding, strict=True))
    return rows, columns


def channels_last(module: nn.Module) -> nn.Module:
    """The module with its kernels laid out pixel by pixel, the faster layout for small maps."""
    return module.to(memory_format=torch.channels_last)
