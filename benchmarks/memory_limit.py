"""Training on a folder that is too large for memory, beside the same with all of it in memory.

    python -m benchmarks.memory_limit cifar10/train --images 200000 --memory 200MB

Makes a folder of that many images, copies of the given ones with a pixel changed, and trains on it
for a short epoch: in memory, from a nameless file, and from a file in a new cache, which one run
fills and the next one reads. Each run is a process of its own. Prints one JSON line: for each way
the peak memory in MiB beyond what a run takes on a hundredth of the folder, the processor time in
seconds before the first epoch, and whether the checkpoints are the same bytes. Half of that
hundredth is held out, so that validation too has batches as large.
`memory_epochs.py` measures the epochs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from imbsynth.engine.events import Event, Started
from imbsynth.store.folders import scan

HELD_OUT, OF_FEW = 0.02, 0.5  # of the images


class Run(NamedTuple):
    """What a training took."""

    mib: float  # at the peak
    start: float  # processor time before the first epoch
    checkpoint: str  # digest


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


def train(src: Path, options: dict[str, Any]) -> Run:
    """Train in this process, which has done nothing before."""
    import imbsynth

    starts: list[float] = []

    def note(event: Event) -> None:
        if isinstance(event, Started) and event.task == "training":
            starts.append(time.process_time())

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "clf.safetensors")
        imbsynth.aos_train(
            src=src,
            out=out,
            oversample="ros",
            epochs=1,
            on_event=note,
            **options,
        )
        digest = hashlib.sha256(out.read_bytes()).hexdigest()
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Run(mib, starts[0], digest)


def trained(src: Path, **options: Any) -> Run:
    """`train` in a new process."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        run = pool.submit(train, src, options).result()
    print(options, run, file=sys.stderr, flush=True)  # hours may follow
    return run


def main() -> None:
    """Measure every way."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("--images", type=int, default=200_000)
    parser.add_argument("--images-per-epoch", type=int, default=2_000)
    parser.add_argument("--memory", default="200MB")
    parser.add_argument("--work", type=Path, help="where to put the images and the cache")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.work) as name:
        src, small, cache = (Path(name, part) for part in ("src", "small", "cache"))
        os.environ["TMPDIR"] = name
        make_folder(options.source, src, options.images)
        make_folder(options.source, small, options.images // 100)
        asked: dict[str, Any] = {
            "images_per_epoch": options.images_per_epoch,
            "memory": options.memory,
        }
        base = trained(small, **asked, val_fraction=OF_FEW)
        asked["val_fraction"] = HELD_OUT
        runs = {
            "in_memory": trained(src, **(asked | {"memory": "100%"})),
            "from_file": trained(src, **asked),
            "filling_cache": trained(src, **asked, cache=cache),
            "from_cache": trained(src, **asked, cache=cache),
        }
        kept = sum(path.stat().st_size for path in cache.rglob("*") if path.is_file())
    result = {
        "images": options.images,
        "small": {"mib": round(base.mib), "processor_start": round(base.start, 1)},
        "mib_beyond_small": {way: round(run.mib - base.mib) for way, run in runs.items()},
        "processor_start": {way: round(run.start, 1) for way, run in runs.items()},
        "cache_mib": round(kept / 2**20),
        "same_bytes": len({run.checkpoint for run in runs.values()}) == 1,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
