"""The one conversion between stored pixels and the numbers that networks take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbsynth.core.batches import Indices

Batch = TypeVar("Batch")


class PixelRows(Protocol):
    """(n, c, h, w) uint8 images: a tensor, or images that come when they are asked for."""

    @property
    def shape(self) -> Sequence[int]: ...
    @property
    def device(self) -> torch.device: ...
    def __len__(self) -> int: ...
    def __getitem__(self, rows: Any, /) -> Tensor: ...
    def split(self, count: int, /) -> Iterable[Tensor]: ...


class Elsewhere(Protocol):
    """(n, c, h, w) uint8 images that are in no array."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, rows: Any, /) -> NDArray[np.uint8]: ...
    def some(self, rows: slice, /) -> Elsewhere: ...
    def ahead(
        self, batches: Iterable[Batch], rows_of: Callable[[Batch], Indices], /
    ) -> Iterator[Batch]: ...


class Writable(Elsewhere, Protocol):
    """The same, which can be written."""

    def __setitem__(self, rows: Any, values: NDArray[Any], /) -> None: ...


class FetchedRows:
    """Images that are elsewhere, as tensors on the CPU: a copy of those that are asked for."""

    device = torch.device("cpu")

    def __init__(self, images: Elsewhere) -> None:
        self.images = images

    @property
    def shape(self) -> Sequence[int]:
        """(n, c, h, w)."""
        return self.images.shape

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, rows: Tensor | slice | int) -> Tensor:
        return torch.from_numpy(self.images[rows.numpy() if isinstance(rows, Tensor) else rows])

    def split(self, count: int) -> Iterator[Tensor]:
        """All of them, `count` at a time; of none, one empty part, as a tensor gives it."""
        return (self[start : start + count] for start in range(0, max(1, len(self)), count))


class WrittenRows(FetchedRows):
    """The same, of any number type, which are also put there."""

    images: Writable

    def __setitem__(self, rows: slice, values: Tensor) -> None:
        self.images[rows] = values.numpy()


def as_rows(pixels: Any) -> PixelRows:
    """(n, c, h, w) uint8 images on the CPU: an array, which is shared, or images elsewhere."""
    return torch.from_numpy(pixels) if isinstance(pixels, np.ndarray) else FetchedRows(pixels)


def part_of(pixels: PixelRows, rows: slice) -> PixelRows:
    """Some of the images, not copied."""
    if isinstance(pixels, FetchedRows):
        return FetchedRows(pixels.images.some(rows))
    return pixels[rows]


def fetched_ahead(
    pixels: PixelRows, batches: Iterable[Batch], rows_of: Callable[[Batch], Indices]
) -> Iterator[Batch]:
    """The same batches; images that are elsewhere are fetched before a batch asks for its rows."""
    if isinstance(pixels, FetchedRows):
        return pixels.images.ahead(batches, rows_of)
    return iter(batches)


def to_unit(pixels: Tensor) -> Tensor:
    """uint8 in [0, 255] -> float32 in [0, 1], any shape."""
    return pixels.to(torch.float32) / 255


def network_input(pixels: Tensor, device: torch.device) -> Tensor:
    """(n, c, h, w) uint8 -> float32 in [0, 1] on the device, laid out for its convolutions."""
    return to_unit(pixels.to(device)).contiguous(memory_format=torch.channels_last)


def to_bytes(images: Tensor) -> Tensor:
    """Floats in [0, 1] (beyond is clipped) -> the nearest uint8 in [0, 255], any shape."""
    return (images.float() * 255).round().clamp(0, 255).to(torch.uint8)


def stacked(images: Sequence[NDArray[np.uint8]], channels: int | None = None) -> Tensor:
    """n uint8 images of one size, (h, w) gray or (h, w, 3) colour -> (n, c, h, w).

    Gray is repeated where `channels` is 3.
    """
    arrays = [image[None] if image.ndim == 2 else image.transpose(2, 0, 1) for image in images]
    if channels == 3:
        arrays = [np.broadcast_to(array, (3, *array.shape[1:])) for array in arrays]
    return torch.from_numpy(np.stack(arrays))
