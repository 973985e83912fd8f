"""Epochs of `aos-train` on images that are in a file, beside the same with the images in memory.

    python -m benchmarks.memory_epochs --images 200000 --images-per-epoch 10000

Images are noise of 32x32 pixels in ten classes: nothing is decoded. In one process, a run on the
file and one in memory take turns, an epoch each. Prints one JSON line: the processor time of an
epoch of each in seconds (median), the ratio of both (median, lowest and highest of the rounds), and
whether the weights are the same in the end. `TMPDIR` says where the file is.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch

from imbsynth.configs import AosTrainConfig
from imbsynth.engine.reading import Labelled
from imbsynth.engine.sources.spaces import PixelSpace
from imbsynth.engine.training.classifier import ClassifierTask, Material
from imbsynth.engine.training.classifier_run import classifier_trainer
from imbsynth.engine.training.trainer import Trainer
from imbsynth.engine.training.validation import Validation
from imbsynth.store.digests import Digests
from imbsynth.store.growing import GrowingImages
from imbsynth.store.memory import limited
from imbsynth.store.row_files import PixelArray

CLASSES, SIZE = 10, (3, 32, 32)
CHUNK = 1000  # images made at once
VALIDATED = 100  # images
MOST = 1 << 40  # bytes: no limit


def made(count: int, memory: int) -> PixelArray:
    """(n, c, h, w) noise, the same whatever the limit in bytes."""
    rng = np.random.default_rng(0)
    with limited(memory):
        growing = GrowingImages(count)
        for _ in range(count // CHUNK):
            growing.extend(rng.integers(0, 256, (CHUNK, *SIZE), np.uint8))
        pixels = growing.whole()
    if pixels is None:
        raise SystemExit(f"--images: at least {CHUNK}")
    return pixels


def run_on(pixels: PixelArray, options: argparse.Namespace) -> Trainer[ClassifierTask]:
    """A run at its start; every tenth image is of the same class."""
    labels = np.arange(len(pixels)) % CLASSES
    names = [str(label) for label in range(CLASSES)]
    images = Labelled(labels, names, [], Digests(), Digests(), "", [], "", pixels, 0, 0)
    config = AosTrainConfig(
        src=Path("src"),
        out=Path("clf.safetensors"),
        oversample="ros",
        epochs=options.rounds,
        images_per_epoch=options.images_per_epoch,
    )
    space = PixelSpace(images, images.members(), torch.device("cpu"), config.batch_size)
    val = Validation(space.pixels[:VALIDATED], labels[:VALIDATED])
    members = dict(zip(names, images.members(), strict=True))
    return classifier_trainer(config, Material(members, space, val), "fp32")


def epoch_of(trainer: Trainer[ClassifierTask]) -> float:
    """The processor time of the next epoch, in seconds, of all threads."""
    start = time.process_time()
    for batch in trainer.batches():
        trainer.take_step(batch)
    trainer.end_epoch()
    return time.process_time() - start


def main() -> None:
    """Time both in turns."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--images", type=int, default=200_000)
    parser.add_argument("--images-per-epoch", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()

    runs = {
        "in_memory": run_on(made(options.images, MOST), options),
        "from_file": run_on(made(options.images, 0), options),
    }
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(options.rounds):
        for name in list(runs)[:: -1 if number % 2 else 1]:
            taken[name].append(epoch_of(runs[name]))
        print(taken, file=sys.stderr, flush=True)  # hours may follow
    ratios = [file / memory for memory, file in zip(*taken.values(), strict=True)]
    states = [run.task.model.state_dict().values() for run in runs.values()]
    result = {
        "processor_epoch": {name: round(statistics.median(t), 2) for name, t in taken.items()},
        "ratio": round(statistics.median(ratios), 3),
        "spread": [round(min(ratios), 3), round(max(ratios), 3)],
        "same_weights": all(map(torch.equal, *states)),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
