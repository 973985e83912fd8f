"""Digests of images in a checkpoint: what a network has learned from."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from imbsynth.store.digests import SIZE, Digests, DigestSet, as_set
from imbsynth.store.fields import Wrong

TRAINED_ON = "digests.train"  # a tensor; version 0.1 wrote none


def packed(digests: Iterable[str]) -> Tensor:
    """(n, 32) uint8, sorted: half the size of hexadecimal, and not in the header."""
    return torch.from_numpy(as_set(digests).keys.view(np.uint8).reshape(-1, SIZE))


def unpacked(digests: Tensor | None) -> DigestSet:
    """The digests, hexadecimal; Wrong unless this is what `packed` makes."""
    if digests is None or digests.dtype != torch.uint8 or digests.shape[1:] != (SIZE,):
        raise Wrong("its digests are missing, or of another form")
    return DigestSet(Digests(digests.numpy().tobytes()).keys)


def taken(tensors: dict[str, Tensor], name: str) -> DigestSet:
    """`unpacked`, removed from the tensors; empty where an older version wrote none."""
    return unpacked(tensors.pop(name)) if name in tensors else DigestSet()
