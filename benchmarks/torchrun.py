"""Training steps of several processes that share every batch, beside those of one, in turns.

And beside as many runs of one process at the same time that know nothing of each other: what the
machine gives them is the most that can be expected.

    python -m benchmarks.torchrun mnist/train --processes 2 --steps 3 --rounds 7

Each process has one thread. Prints one JSON line: seconds for the steps, and the efficiency, which
is the time of one process by that of all together times their number (aim: 0.8, a core for each);
`processor` is the same of processor time, on which other programs have less influence;
`unrelated` is the time of one process by that of the unrelated ones.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import socket
import statistics
import time
from collections.abc import Callable
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import torch

from benchmarks.train_ae import without_end
from imbsynth.configs import AosTrainConfig, TrainAeConfig
from imbsynth.engine.aos_train import AosTrain
from imbsynth.engine.events import silent
from imbsynth.engine.train_ae import TrainAe
from imbsynth.engine.training.trainer import Trainer
from imbsynth.runtime import joined

CORE = "BENCHMARK_CORE"  # of the environment: which one a process is to have
CPU, OUT = torch.device("cpu"), Path("never-written.safetensors")
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    [f"imbsynth.engine.{name}" for name in ("train_ae", "aos_train", "generate", "fid")]
)


class Cost(NamedTuple):
    """Of some steps, in one process."""

    seconds: float
    processor: float


def trainer_of(command: str, src: Path, batch_size: int, precision: str) -> Trainer[Any]:
    """A run at its start, of all but the defaults' device and precision."""
    options: dict[str, Any] = {"src": src, "out": OUT, "batch_size": batch_size}
    found: Any = TrainAe(TrainAeConfig(**options))
    if command == "aos-train":
        found = AosTrain(AosTrainConfig(**options))
    trained: Trainer[Any] = found.trainer(found.read(silent), CPU, precision, silent)
    return trained


def work(orders: Connection, place: dict[str, str], *arguments: Any) -> None:
    """Take as many steps as is ordered, and answer what they cost; 0 ends it."""
    os.environ |= place
    torch.set_num_threads(1)
    with joined(CPU):
        trainer = trainer_of(*arguments)
        batches = without_end(trainer)
        while count := orders.recv():
            start, processor = time.perf_counter(), time.process_time()
            for batch in islice(batches, count):
                trainer.take_step(batch)
            orders.send(Cost(time.perf_counter() - start, time.process_time() - processor))


class Contenders(NamedTuple):
    """Processes that wait for orders, which have the same work."""

    alone: list[Connection]
    together: list[Connection]
    unrelated: list[Connection]  # each has all of the work


class Round(NamedTuple):
    """What each paid."""

    alone: Cost
    together: Cost
    unrelated: Cost


def contenders(processes: int, *arguments: Any, target: Callable[..., None] = work) -> Contenders:
    """All of them, started."""
    return Contenders(
        _started(1, 0, *arguments, target=target),
        _started(processes, 0, *arguments, target=target),
        [one for core in range(processes) for one in _started(1, core, *arguments, target=target)],
    )


def _started(
    size: int, core: int, *arguments: Any, target: Callable[..., None]
) -> list[Connection]:
    """Processes of one run; core: which one a target may choose for the first of them."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    connections = []
    for rank in range(size):
        here, there = CONTEXT.Pipe()
        place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "LOCAL_WORLD_SIZE": size}
        texts = {name: str(value) for name, value in place.items()}
        texts |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), CORE: str(core + rank)}
        CONTEXT.Process(target=target, args=(there, texts, *arguments), daemon=True).start()
        connections.append(here)
    return connections


def cost_of(processes: list[Connection], steps: int) -> Cost:
    """Of steps that all take together: the time of the slowest, the processor time of all."""
    for process in processes:
        process.send(steps)
    costs = [process.recv() for process in processes]
    return Cost(max(cost.seconds for cost in costs), sum(cost.processor for cost in costs))


def in_turns(ready: Contenders, steps: int, rounds: int) -> list[Round]:
    """What they pay for the same steps, in each round; then they end."""
    for one in ready:
        cost_of(one, 1)  # which loads what later steps find in memory
    found = [Round(*(cost_of(one, steps) for one in ready)) for _ in range(rounds)]
    for process in [process for one in ready for process in one]:
        process.send(0)
    return found


def efficiency(rounds: list[Round], processes: int) -> dict[str, Any]:
    """Of `processes` together against one alone, by the clock and by processor time."""
    return {
        "seconds": {
            name: statistics.median(getattr(one, name).seconds for one in rounds)
            for name in Round._fields
        },
        "efficiency": spread(
            [one.alone.seconds / (processes * one.together.seconds) for one in rounds]
        ),
        "processor": spread([one.alone.processor / one.together.processor for one in rounds]),
        "unrelated": spread([one.alone.seconds / one.unrelated.seconds for one in rounds]),
        "load": os.getloadavg()[0],
    }


def main() -> None:
    """Take steps of both in turns."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("src", type=Path)
    parser.add_argument("--command", default="train-ae", choices=["train-ae", "aos-train"])
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=100)
    parser.add_argument("--precision", default="fp32", choices=["fp32", "bf16"])
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()

    arguments = (options.command, options.src, options.batch_size, options.precision)
    rounds = in_turns(contenders(options.processes, *arguments), options.steps, options.rounds)
    result = {
        "command": options.command,
        "processes": options.processes,
        "batch_size": options.batch_size,
        "precision": options.precision,
        "steps": options.steps,
        **efficiency(rounds, options.processes),
    }
    print(json.dumps(result))


def spread(values: list[float]) -> dict[str, float]:
    """Median, lowest and highest."""
    return {"median": statistics.median(values), "lowest": min(values), "highest": max(values)}


if __name__ == "__main__":
    main()
