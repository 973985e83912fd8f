"""Functions that several processes carry out together, as if torchrun had started them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, NamedTuple

from imbsynth.engine.events import EpochDone, Event, OnEvent

CONTEXT = multiprocessing.get_context("forkserver")
# Imported once, in the process of which the others are copies.
CONTEXT.set_forkserver_preload(
    [
        *("imbsynth.engine.train_ae", "imbsynth.engine.aos_train", "tests.conftest"),
        *("imbsynth.engine.train_generator", "imbsynth.engine.generate", "imbsynth.engine.fid"),
        *("torch._dynamo", "scipy.optimize"),
        *("matplotlib.figure", "matplotlib.backends.backend_agg"),
    ]
)
PATIENCE = 120  # seconds without a word from any process


class Failed(NamedTuple):
    """What a process raised."""

    kind: str
    text: str
    rank: int


def together(size: int, function: Callable[..., Any], *arguments: Any) -> list[Any]:
    """What a function of a module returns in each of `size` processes, or a `Failed`.

    A process that is killed leaves None.
    """
    port = _free_port()
    processes = []
    answers: dict[Any, int] = {}  # the rank of the process at the other end
    for rank in range(size):
        here, there = CONTEXT.Pipe(duplex=False)
        process = CONTEXT.Process(
            target=_carry_out, args=(there, rank, size, port, function, arguments)
        )
        process.start()
        there.close()
        processes.append(process)
        answers[here] = rank
    try:
        return _collected(answers, size)
    finally:
        for process in processes:
            process.kill()
            process.join()


def _collected(answers: dict[Any, int], size: int) -> list[Any]:
    found: list[Any] = [None] * size
    while answers:
        ready: list[Any] = list(wait(list(answers), PATIENCE))
        if not ready:
            raise TimeoutError(f"processes {sorted(answers.values())} do not answer")
        for connection in ready:
            rank = answers.pop(connection)
            with suppress(EOFError):
                found[rank] = connection.recv()
    return found


def _carry_out(
    answer: Connection,
    rank: int,
    size: int,
    port: int,
    function: Callable[..., Any],
    arguments: Sequence[Any],
) -> None:
    import torch

    torch.set_num_threads(1)
    os.environ |= place_of(rank, size, port)
    try:
        answer.send(function(*arguments))
    except Exception as error:
        answer.send(Failed(type(error).__name__, str(error), rank))
    os._exit(0)  # as a process ends whose group is gone: without waiting for threads of torch


def place_of(rank: int, size: int, port: int) -> dict[str, str]:
    """What torchrun tells a process by its environment."""
    return {
        "RANK": str(rank),
        "WORLD_SIZE": str(size),
        "LOCAL_RANK": str(rank),
        "LOCAL_WORLD_SIZE": str(size),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }


def heard_with_signal(folder: Path, sent: signal.Signals | None) -> tuple[list[Event], OnEvent]:
    """What a run in one of several processes says, and a listener for it.

    sent: what process 1 gets when the first epoch is over; all write their number into `folder`.
    """
    pids = folder / "pids"
    pids.mkdir(exist_ok=True)
    (pids / os.environ["RANK"]).write_text(str(os.getpid()))
    heard: list[Event] = []

    def listen(event: Event) -> None:
        heard.append(event)
        if sent is not None and isinstance(event, EpochDone) and event.epoch == 1:
            os.kill(int((pids / "1").read_text()), sent)

    return heard, listen


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
