"""Several processes for one run, as torchrun starts them: who this one is, and their meeting."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from imbsynth.errors import UserError
from imbsynth.runtime.world import TorchWorld, World, current_world

if TYPE_CHECKING:
    import torch

# What torchrun tells each process; a batch system that starts them itself can set the same.
_VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
_RESTARTS = "TORCHELASTIC_RESTART_COUNT"  # how often torchrun has started all of them again
_PATIENCE = timedelta(seconds=3)  # with the place where they meet, and with what others will say


class Launched(NamedTuple):
    """One of several processes that were started for the same command."""

    rank: int
    size: int  # processes
    local_rank: int  # among those of this machine
    local_size: int  # of them

    def __str__(self) -> str:
        return f"process {self.rank} of {self.size}"


def launched() -> Launched | None:
    """Who this process is, by its environment; None if it is alone."""
    found = [os.environ.get(name, "") for name in _VARIABLES]
    if not all(found) or not all(text.isdecimal() for text in (*found[:4], found[5])):
        return None
    place = Launched(*map(int, found[:4]))
    return place if place.size > 1 else None


def check_alone(command: str, detail: str = "") -> None:
    """Raise UserError if several processes were started for a command that one carries out.

    detail: what of it, to follow its name, such as " with " and an option.
    """
    place = launched()
    if place is not None:
        raise UserError(
            f"{command}{detail} runs in one process, and {place.size} were started",
            f"start it without torchrun: imbsynth {command}",
        )


def first_to_say(text: str, *, lost: bool) -> bool:
    """Whether this process is to print an error: no other one of the run has said the same.

    lost: whether the error is only that another process has ended, which nobody needs to read once
    anything has been said. True as well where the processes' meeting place does not answer.
    """
    place = launched()
    if place is None:
        return True
    from torch import distributed

    address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    said = f"imbsynth/{os.environ.get(_RESTARTS, 0)}/said"
    own = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
    try:
        # Public, although its types are not.
        store: Any = distributed.TCPStore(  # type: ignore[attr-defined]
            address, port, is_master=False, timeout=_PATIENCE
        )
        if lost and _is_there(store, said):
            return False
        first = store.add(said, 1) == 1
        return first if lost else store.add(f"{said}/{own}", 1) == 1
    except RuntimeError:
        return True


def _is_there(store: Any, key: str) -> bool:
    """Whether a key is there, or comes soon."""
    try:
        store.wait([key], _PATIENCE)
    except RuntimeError:
        return False
    return True


@contextmanager
def joined(device: torch.device) -> Iterator[World]:
    """The world of the processes that carry out this run, for as long as the block lasts.

    Nothing happens for a process that is alone, or whose program has let them meet already.
    UserError if they do not find each other. After an error, the processes are not waited for.
    """
    world = current_world()
    if launched() is None or isinstance(world, TorchWorld):
        yield world
        return
    import torch
    from torch import distributed

    backend = "gloo"
    if device.type == "cuda":
        torch.cuda.set_device(device)
        backend = "cpu:gloo,cuda:nccl"  # decisions are made between CPUs, and wait for no GPU
    try:
        distributed.init_process_group(backend)
    except distributed.DistError as error:
        raise UserError(
            f"the processes of this run do not find each other ({str(error).splitlines()[0]})",
            "start all of them together, and check --rdzv-endpoint or --master-port of torchrun",
        ) from None
    yield TorchWorld()
    distributed.destroy_process_group()
