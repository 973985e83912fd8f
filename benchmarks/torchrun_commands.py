"""Whole runs of `generate` and `fid` by several processes, beside runs by one, in turns.

    python -m benchmarks.torchrun_commands rare-mnist --command fid --processes 2 --rounds 5

Each process has one thread and one core. Images are made and compared by an autoencoder with random
weights, whose features `fid` takes. Prints one JSON line: seconds per run, without the start of the
programs, and the efficiency, as `benchmarks.torchrun` does.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

import torch

from benchmarks.torchrun import CORE, CPU, Cost, contenders, efficiency, in_turns
from imbsynth.configs import FidConfig, GenerateConfig
from imbsynth.engine import fid, generate
from imbsynth.engine.events import silent
from imbsynth.engine.inference.autoencoder import autoencoder_checkpoint
from imbsynth.engine.reading import read_labelled
from imbsynth.models.autoencoder import Autoencoder, AutoencoderShape, default_latent_dim
from imbsynth.runtime import initialised, joined
from imbsynth.store.checkpoints import save_checkpoint
from imbsynth.store.images import AS_THEY_ARE


def write_autoencoder(src: Path, path: Path) -> None:
    """For images like those of a folder."""
    channels, height, width = read_labelled(src, AS_THEY_ARE, on_event=silent).pixels.shape[1:]
    shape = AutoencoderShape(channels, height, width, default_latent_dim(channels))
    save_checkpoint(path, autoencoder_checkpoint(initialised(lambda: Autoencoder(shape), 0), {}))


def run(command: str, src: Path, ae: Path, dst: Path) -> None:
    """One run of the command."""
    if command == "fid":
        fid.run(FidConfig(real=src, fake=src, features=str(ae), precision="fp32", device="cpu"))
    else:
        generate.run(GenerateConfig(src=src, dst=dst, ae=ae, precision="fp32", device="cpu"))


def processor_time() -> float:
    """Of this process and those that it has waited for, in seconds."""
    children = getrusage(RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def work(orders: Connection, place: dict[str, str], command: str, src: Path, folder: Path) -> None:
    """Run the command as often as is ordered, and answer what it cost; 0 ends it."""
    os.environ |= place
    torch.set_num_threads(1)
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[int(place[CORE]) % len(cores)]})
    done = 0
    with joined(CPU):
        while count := orders.recv():
            start, processor = time.perf_counter(), processor_time()
            for _ in range(count):
                done += 1
                dst = folder / f"{place['WORLD_SIZE']}-{place['MASTER_PORT']}-{done}"
                run(command, src, folder / "ae.safetensors", dst)
            orders.send(Cost(time.perf_counter() - start, processor_time() - processor))


def main() -> None:
    """Let both run in turns."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("src", type=Path)
    parser.add_argument("--command", default="generate", choices=["generate", "fid"])
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as name:
        write_autoencoder(options.src, Path(name) / "ae.safetensors")
        arguments = (options.command, options.src, Path(name))
        ready = contenders(options.processes, *arguments, target=work)
        rounds = in_turns(ready, 1, options.rounds)
    result = {
        "command": options.command,
        "processes": options.processes,
        **efficiency(rounds, options.processes),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
