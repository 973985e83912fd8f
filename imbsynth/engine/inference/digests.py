"""Digests of images in a checkpoint: what a network has learned from."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from imbsynth.store.fields import Wrong


def packed(digests: Iterable[str]) -> Tensor:
    """(n, 32) uint8, sorted: half the size of hexadecimal, and not in the header."""
    joined = bytearray(bytes.fromhex("".join(sorted(set(digests)))))
    if not joined:
        return torch.empty(0, 32, dtype=torch.uint8)
    return torch.frombuffer(joined, dtype=torch.uint8).reshape(-1, 32).clone()


def unpacked(digests: Tensor | None) -> set[str]:
    """The digests, hexadecimal; Wrong unless this is what `packed` makes."""
    if digests is None or digests.dtype != torch.uint8 or digests.shape[1:] != (32,):
        raise Wrong("its digests are missing, or of another form")
    return {bytes(row).hex() for row in digests.numpy()}


def taken(tensors: dict[str, Tensor], name: str) -> set[str]:
    """`unpacked`, removed from the tensors; empty where an older version wrote none."""
    return unpacked(tensors.pop(name)) if name in tensors else set()
