"""`generate` beside only encoding and writing the same PNG files, a process a core, in turns.

    python -m benchmarks.generate sample_data/train --to 300 --rounds 5
    python -m benchmarks.generate sample_data/train --ae ae.safetensors

Both from their start to their last file, without the time that Python needs to load libraries.
Prints one JSON line: images a second of both, and how many times as long generate takes (aim: 1.3),
for copies (ros), SMOTE on pixels, and SMOTE on the latents of an autoencoder (trained for an epoch
where none is given: what it has learnt does not change its arithmetic).
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from subprocess import PIPE
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.pairs import Taken, rate, taken, times_as_long
from imbsynth.configs import GenerateConfig, TrainAeConfig
from imbsynth.engine import generate, train_ae
from imbsynth.runtime import worker_count

WAYS: dict[str, dict[str, Any]] = {
    "ros": {"method": "ros"},
    "smote, pixels": {},
    "smote, latents": {"ae": Path("to be set")},
}


def written(pixels: Path, folder: Path, processes: int) -> Taken:
    """Only the writing of the images of a file, shared among so many processes."""
    folder.mkdir()
    words = [sys.executable, "-m", "benchmarks.png_writer", str(pixels), str(folder)]
    writers = [
        subprocess.Popen(
            [*words, str(first), str(processes)], stdin=PIPE, stdout=PIPE, text=True, bufsize=1
        )
        for first in range(processes)
    ]
    said = [(writer.stdin, writer.stdout) for writer in writers]
    pipes = [(stdin, stdout) for stdin, stdout in said if stdin and stdout]
    for _, answers in pipes:
        if answers.readline() != "ready\n":
            raise SystemExit("a writer of PNG files failed")
    start = time.perf_counter()
    for orders, _ in pipes:
        orders.write("begin\n")
    processor = sum(float(answers.readline()) for _, answers in pipes)
    seconds = time.perf_counter() - start
    for writer in writers:
        writer.communicate()
    shutil.rmtree(folder)
    return Taken(seconds, processor)


def compared(config: GenerateConfig, folder: Path, rounds: int) -> dict[str, Any]:
    """Pairs of one way of generating and the writing of what it makes."""
    work = partial(generate.run, config)
    work()  # the first round also loads libraries
    files = sorted(config.dst.rglob("synthetic-*.png"))
    pixels = np.stack([np.atleast_3d(np.asarray(Image.open(file))) for file in files])
    np.save(folder / "pixels.npy", pixels.transpose(0, 3, 1, 2))
    processes, ours, floor = worker_count(), [], []
    for _ in range(rounds):
        shutil.rmtree(config.dst)
        ours.append(taken(work))
        floor.append(written(folder / "pixels.npy", folder / "floor", processes))
    shutil.rmtree(config.dst)
    return {
        "images": len(files),
        "images_per_second": {
            "generate": rate(ours, len(files)),
            "writing": rate(floor, len(files)),
        },
        "times_as_long": times_as_long(ours, floor),
    }


def main() -> None:
    """Compare all ways."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("src", type=Path)
    parser.add_argument("--ae", type=Path)
    parser.add_argument("--to", type=int, help="images a class")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    result: dict[str, Any] = {"threads": torch.get_num_threads(), "cores": worker_count()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ae = options.ae or folder / "ae.safetensors"
        if options.ae is None and "smote, latents" in options.ways:
            train_ae.run(TrainAeConfig(src=options.src, out=ae, epochs=1, device="cpu"))
        for way in options.ways:
            more = {**WAYS[way], **({"ae": ae} if "ae" in WAYS[way] else {})}
            config = GenerateConfig(
                src=options.src,
                dst=folder / "made",
                to=options.to,
                synthetic_only=True,
                device="cpu",
                **more,
            )
            result[way] = compared(config, folder, options.rounds)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
