"""The processes that carry out one run together: by default, this one alone."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from imbsynth.errors import ProcessLost, option

if TYPE_CHECKING:
    from torch import Tensor

Found = TypeVar("Found")


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

    def share(self, count: int, unit: int = 1) -> slice:
        """Which of `count` rows this process computes; of few rows it may be none.

        unit: rows that stay together, counted from the first one, such as those of a batch.
        """
        units = -(-count // unit)
        ends = (units * rank // self.size * unit for rank in (self.rank, self.rank + 1))
        return slice(*(min(end, count) for end in ends))

    def sum(self, values: Tensor) -> Tensor:
        """The sum of `values`, of the same shape and dtype in every process, over processes."""
        return values

    def add_up(self, values: Tensor) -> None:
        """Replace `values` by their sum over processes: `sum` without a copy."""

    def whole(self, own: Tensor, count: int, unit: int = 1) -> Tensor:
        """All `count` rows, where each process has its share of them, in the same units."""
        if self.size == 1:
            return own
        rows = own.new_zeros(count, *own.shape[1:])
        rows[self.share(count, unit)] = own
        return self.sum(rows)

    def gathered(self, own: Found) -> list[Found]:
        """What each process has, in their order, in every process."""
        return [own]

    def progress(self, done: int, total: int) -> int:
        """How much of `total` all have done, judged by what this process has done of its share."""
        return min(total, done * self.size)

    def agree(self, wanted: bool) -> bool:
        """Whether any process wants something, e.g. to stop; all of them get the same answer."""
        return wanted

    def told(self, find: Callable[[], Found]) -> Found:
        """What the writer finds, in every process; the others do not look themselves."""
        return find()


ALONE = World()
FEW = 131_072  # values that the first process takes from all others, on CPUs


class TorchWorld(World):
    """The processes of an initialised `torch.distributed`; every call must be made by all.

    ProcessLost if one of the others does not answer any more.
    """

    def __init__(self) -> None:
        from torch import distributed

        self.rank, self.size = distributed.get_rank(), distributed.get_world_size()
        self.device = "cuda" if distributed.get_backend() == "nccl" else "cpu"

    def sum(self, values: Tensor) -> Tensor:
        """Of a copy: `values` themselves stay as they are."""
        total = values.clone()
        self.add_up(total)
        return total

    def add_up(self, values: Tensor) -> None:
        """By all_reduce; of few values on CPUs, by a message to the first process and one back.

        For few values, Gloo's all_reduce takes three to ten times as long as these messages.
        """
        from torch import distributed

        # NCCL alone, as a program may have chosen it, knows no tensors of the CPU.
        own = values.to(self.device) if self.device == "cuda" else values
        own = own.contiguous()  # in every process alike: Gloo sums what lies in memory, gaps too
        few = own.device.type == "cpu" and own.numel() * (self.size - 1) <= FEW
        _answered(lambda: self._add_up_at_the_first(own) if few else distributed.all_reduce(own))
        if own is not values:
            values.copy_(own)

    def _add_up_at_the_first(self, values: Tensor) -> None:
        """The first process adds what the others send, in their order, and sends them the sum."""
        from torch import distributed

        if self.rank:
            distributed.send(values, 0)
            distributed.recv(values, 0)
            return
        theirs = values.clone()
        for rank in range(1, self.size):
            distributed.recv(theirs, rank)
            values.add_(theirs)
        for rank in range(1, self.size):
            distributed.send(values, rank)

    def gathered(self, own: Found) -> list[Found]:
        """By an all_gather of pickled objects."""
        from torch import distributed

        found: list[Any] = [None] * self.size
        _answered(lambda: distributed.all_gather_object(found, own))
        return found

    def agree(self, wanted: bool) -> bool:
        """By the number of processes that want it."""
        import torch

        return bool(self.sum(torch.tensor(int(wanted), device=self.device)))

    def told(self, find: Callable[[], Found]) -> Found:
        """By a broadcast from the writer."""
        import torch
        from torch import distributed

        found = [find() if self.is_writer else None]
        device = torch.device(self.device)
        _answered(lambda: distributed.broadcast_object_list(found, 0, device=device))
        return found[0]  # type: ignore[return-value]


def _answered(call: Callable[[], object]) -> None:
    try:
        call()
    except RuntimeError as error:  # of whatever class: the backends differ
        why = re.sub(r"^\[.*?\] ", "", str(error).splitlines()[0])  # without the line of its source
        raise ProcessLost(
            f"another process of this run has ended ({why.partition('. ')[0]:.200})",
            f"see what it said, then start all of them again; a training with {option('resume')}",
        ) from None


def current_world() -> World:
    """The world of this process; torch is not imported to find that there is no other process."""
    distributed = sys.modules.get("torch.distributed")
    if distributed and distributed.is_available() and distributed.is_initialized():
        return TorchWorld()
    return World()
