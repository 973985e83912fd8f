"""Random streams with names, and the only places that seed torch's global generators.

Not by `torch.manual_seed`, which seeds the generators of all devices, those of other programs in
this process too, and takes milliseconds for it as long as no CUDA device is in use.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    import torch
    from torch import nn

    Module = TypeVar("Module", bound=nn.Module)


def stream(seed: int, *path: str | int) -> np.random.Generator:
    """Random stream named by `path`: a new class, step or worker never shifts another stream.

    The parts of the name are hashed with their boundaries, so ("a", "bc") and ("ab", "c") differ,
    and to 128 bits, so that no two class names share a stream by accident.
    """
    name = "\0".join(f"{type(part).__name__}:{part}" for part in path)
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
    key = np.frombuffer(digest[:16], dtype="<u4").tolist()
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def initialised(build: Callable[[], Module], seed: int) -> Module:
    """Build a module with seeded weights, on the CPU, leaving torch's generators untouched."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return build()


@contextmanager
def seeded(device: torch.device, seed: int, *path: str | int) -> Iterator[None]:
    """Within the block, torch's global generators (dropout's) follow the stream named by `path`."""
    import torch

    on_cuda = device.type == "cuda"
    drawn = int(stream(seed, *path).integers(2**63))
    with torch.random.fork_rng(devices=[device] if on_cuda else []):
        torch.default_generator.manual_seed(drawn)
        if on_cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(drawn)
        yield
