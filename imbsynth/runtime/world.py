"""The processes that carry out one run together: by default, this one alone."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


class World:
    """One process, which is the writer and agrees with itself.

    Code that several processes may run asks it for its rank and the number of processes (`size`),
    sums over all of them, and decides together; only the writer touches files and reports events.
    """

    rank, size = 0, 1

    @property
    def is_writer(self) -> bool:
        """Whether this process writes files and reports events for all: that of rank 0."""
        return self.rank == 0

    def sum(self, values: Tensor) -> Tensor:
        """The sum of `values`, of the same shape and dtype in every process, over processes."""
        return values

    def agree(self, wanted: bool) -> bool:
        """Whether any process wants something, e.g. to stop; all of them get the same answer."""
        return wanted


class TorchWorld(World):
    """The processes of an initialised `torch.distributed`; every call must be made by all."""

    def __init__(self) -> None:
        from torch import distributed

        self.rank, self.size = distributed.get_rank(), distributed.get_world_size()
        self.device = "cuda" if distributed.get_backend() == "nccl" else "cpu"

    def sum(self, values: Tensor) -> Tensor:
        """By all_reduce; `values` themselves stay as they are."""
        from torch import distributed

        total = values.clone()
        distributed.all_reduce(total)
        return total

    def agree(self, wanted: bool) -> bool:
        """By the number of processes that want it."""
        import torch

        return bool(self.sum(torch.tensor(int(wanted), device=self.device)))


def current_world() -> World:
    """The world of this process; torch is not imported to find that there is no other process."""
    distributed = sys.modules.get("torch.distributed")
    if distributed and distributed.is_available() and distributed.is_initialized():
        return TorchWorld()
    return World()
