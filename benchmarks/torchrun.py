"""Training steps of several processes that share every batch, beside those of one, in turns.

    python -m benchmarks.torchrun mnist/train --processes 2 --steps 3 --rounds 7

Each process has one thread. Prints one JSON line: seconds per step, and the efficiency, which is
the time of one process by that of all together times their number (aim: 0.8 with a core for each);
`processor` is the same of processor time, on which other programs have less influence.
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

CPU, OUT = torch.device("cpu"), Path("never-written.safetensors")
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    [f"imbsynth.engine.{name}" for name in ("train_ae", "aos_train", "generate", "fid")]
)


class Cost(NamedTuple):
    """Of some steps, in one process."""

    seconds: float
    processor: float


def trainer_of(command: str, src: Path, batch_size: int) -> Trainer[Any]:
    """A run at its start, of all but the defaults' device and precision."""
    options: dict[str, Any] = {"src": src, "out": OUT, "batch_size": batch_size}
    found: Any = TrainAe(TrainAeConfig(**options))
    if command == "aos-train":
        found = AosTrain(AosTrainConfig(**options))
    trained: Trainer[Any] = found.trainer(found.read(silent), CPU, "fp32", silent)
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


def started(size: int, *arguments: Any, target: Callable[..., None] = work) -> list[Connection]:
    """Processes that wait for orders."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    connections = []
    for rank in range(size):
        here, there = CONTEXT.Pipe()
        place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "LOCAL_WORLD_SIZE": size}
        texts = {name: str(value) for name, value in place.items()}
        texts |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        CONTEXT.Process(target=target, args=(there, texts, *arguments), daemon=True).start()
        connections.append(here)
    return connections


def cost_of(processes: list[Connection], steps: int) -> Cost:
    """Of steps that all take together: the time of the slowest, the processor time of all."""
    for process in processes:
        process.send(steps)
    costs = [process.recv() for process in processes]
    return Cost(max(cost.seconds for cost in costs), sum(cost.processor for cost in costs))


def in_turns(
    alone: list[Connection], several: list[Connection], steps: int, rounds: int
) -> list[tuple[Cost, Cost]]:
    """What both pay for the same steps, in each round; then they end."""
    cost_of(alone, 1), cost_of(several, 1)  # which load what later steps find in memory
    pairs = [(cost_of(alone, steps), cost_of(several, steps)) for _ in range(rounds)]
    for process in [*alone, *several]:
        process.send(0)
    return pairs


def efficiency(pairs: list[tuple[Cost, Cost]], processes: int) -> dict[str, Any]:
    """Of `processes` together against one alone, by the clock and by processor time."""
    return {
        "efficiency": spread([one.seconds / (processes * all_.seconds) for one, all_ in pairs]),
        "processor": spread([one.processor / all_.processor for one, all_ in pairs]),
        "load": os.getloadavg()[0],
    }


def main() -> None:
    """Take steps of both in turns."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("src", type=Path)
    parser.add_argument("--command", default="train-ae", choices=["train-ae", "aos-train"])
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=100)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()

    arguments = (options.command, options.src, options.batch_size)
    alone, several = started(1, *arguments), started(options.processes, *arguments)
    pairs = in_turns(alone, several, options.steps, options.rounds)
    result = {
        "command": options.command,
        "processes": options.processes,
        "batch_size": options.batch_size,
        "seconds_per_step": {
            "alone": statistics.median(one.seconds for one, _ in pairs) / options.steps,
            "together": statistics.median(all_.seconds for _, all_ in pairs) / options.steps,
        },
        **efficiency(pairs, options.processes),
    }
    print(json.dumps(result))


def spread(values: list[float]) -> dict[str, float]:
    """Median, lowest and highest."""
    return {"median": statistics.median(values), "lowest": min(values), "highest": max(values)}


if __name__ == "__main__":
    main()
