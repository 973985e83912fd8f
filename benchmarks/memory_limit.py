"""Training on a folder that is too large for memory, beside the same with all of it in memory.

    python -m benchmarks.memory_limit cifar10/train --images 200000 --memory 200MB

Makes a folder of that many images, copies of the given ones with a pixel changed, and trains on it:
in memory, from a nameless file, and from a file in a new cache, which is filled by one run and read
by the next. Each run is a process of its own. Prints one JSON line: for each way the peak memory in
MiB beyond what a run takes on a hundredth of the folder, the processor time before the first epoch,
that of the median epoch after the first, with the lowest and the highest, and whether the
checkpoints are the same bytes. `share_of_waiting` is what the time before the first epoch is of it
and of one epoch over all the images together, in the run from the nameless file.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from imbsynth.engine.events import EpochDone, Event, Started
from imbsynth.store.folders import scan

FEW = 1  # epochs, where only memory or the start counts
HELD_OUT = 0.02  # of the images


class Run(NamedTuple):
    """What a training took."""

    mib: float  # at the peak
    marks: list[float]  # processor time until the first epoch, and until the end of each
    checkpoint: str  # digest

    @property
    def epochs(self) -> list[float]:
        """Processor time of each epoch but the first, which also waits for memory and files."""
        return np.diff(self.marks[1:]).tolist()


def make_folder(source: Path, target: Path, count: int) -> None:
    """`count` different images of the classes of `source`, or one less for some classes."""
    files = scan(source).files
    share = -(-count // len(files))
    for name, paths in files.items():
        (target / name).mkdir(parents=True)
        for number in range(share):
            with Image.open(source / paths[number % len(paths)]) as image:
                pixels = np.array(image)
            copy = number // len(paths)
            pixels[0, copy] ^= 1 if copy else 0
            Image.fromarray(pixels).save(target / name / f"{number:07d}.png", compress_level=1)


def train(src: Path, work: Path, options: dict[str, Any]) -> Run:
    """Train in this process, which has done nothing before."""
    import imbsynth

    marks: list[float] = []

    def mark(event: Event) -> None:
        begins = isinstance(event, Started) and event.task == "training"
        if begins or isinstance(event, EpochDone):
            marks.append(time.process_time())

    with tempfile.TemporaryDirectory(dir=work) as folder:
        out = Path(folder, "clf.safetensors")
        imbsynth.aos_train(
            src=src, out=out, oversample="ros", val_fraction=HELD_OUT, on_event=mark, **options
        )
        digest = hashlib.sha256(out.read_bytes()).hexdigest()
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Run(mib, marks, digest)


def trained(src: Path, options: argparse.Namespace, **more: Any) -> Run:
    """`train` in a new process."""
    asked = {"epochs": options.epochs, "images_per_epoch": options.images_per_epoch, **more}
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        run = pool.submit(train, src, src.parent, asked).result()
    print(more, run, file=sys.stderr, flush=True)  # hours may follow
    return run


def summary(run: Run, base: Run) -> dict[str, Any]:
    """The numbers of one way to hold the images; base: the run on few of them."""
    epochs = run.epochs
    return {
        "mib_beyond_small": round(run.mib - base.mib),
        "processor_start": round(run.marks[0], 1),
        "processor_epoch": round(statistics.median(epochs), 2),
        "spread": [round(min(epochs), 2), round(max(epochs), 2)],
        "checkpoint": run.checkpoint,
    }


def main() -> None:
    """Measure every way."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("--images", type=int, default=200_000)
    parser.add_argument("--images-per-epoch", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--memory", default="200MB")
    parser.add_argument("--work", type=Path, help="where to put the images and the cache")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.work) as name:
        src, small, cache = (Path(name, part) for part in ("src", "small", "cache"))
        os.environ["TMPDIR"] = name
        make_folder(options.source, src, options.images)
        make_folder(options.source, small, options.images // 100)
        base = trained(small, options, epochs=FEW)
        limit = {"memory": options.memory}
        runs = {
            "in_memory": trained(src, options, memory="100%"),
            "from_file": trained(src, options, **limit),
        }
        first = trained(src, options, cache=cache, **(limit | {"epochs": FEW}))
        kept = sum(path.stat().st_size for path in cache.rglob("*") if path.is_file())
        runs["from_cache"] = trained(src, options, cache=cache, **limit)
        shutil.rmtree(cache)
    found = {way: summary(run, base) for way, run in runs.items()}
    epoch = {way: one["processor_epoch"] for way, one in found.items()}
    waiting = runs["from_file"].marks[0] - base.marks[0]
    whole = epoch["from_file"] * options.images / options.images_per_epoch
    result = {
        "images": options.images,
        "mib_small": round(base.mib),
        **found,
        "processor_start_filling_cache": round(first.marks[0], 1),
        "cache_mib": round(kept / 2**20),
        "ratio_of_epochs": round(epoch["from_file"] / epoch["in_memory"], 3),
        "share_of_waiting": round(waiting / (waiting + whole), 3),
        "same_bytes": len({run.checkpoint for run in runs.values()}) == 1,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
