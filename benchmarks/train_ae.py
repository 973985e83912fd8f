"""Training steps of `train-ae` beside those of DeepSMOTE's public script, in turns.

    python -m benchmarks.train_ae sample_data/train --steps 2 --rounds 5

Prints one JSON line: images a second of the script, of our training with our mirrored network and
with the script's own, and how many times as fast each of ours is (aims: 6 and 1.5).
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import public_script
from benchmarks.pairs import in_turns, rate, times_as_long
from imbsynth.configs import Decoder, TrainAeConfig
from imbsynth.engine.reading import Labelled, read_labelled
from imbsynth.engine.training.autoencoder import autoencoder_trainer
from imbsynth.engine.training.trainer import Trainer
from imbsynth.runtime import resolve_precision
from imbsynth.store.images import ImageForm

CPU = torch.device("cpu")


def steps(training: Any, batches: Iterator[Any], count: int) -> Callable[[], None]:
    """The work of so many steps."""

    def work() -> None:
        for batch in itertools.islice(batches, count):
            training.take_step(batch)

    return work


def without_end(training: Trainer[Any]) -> Iterator[Any]:
    """Its batches, epoch after epoch."""
    while True:
        training.clock.start()
        yield from training.batches()
        training.end_epoch()


def read(src: Path) -> Labelled:
    """The folder at the script's size, in gray, and of it whole batches."""
    size = (public_script.SIDE, public_script.SIDE)
    images = read_labelled(src, ImageForm(size, 1), on_event=lambda _: None)
    whole = len(images.labels) - len(images.labels) % public_script.BATCH
    chosen = np.linspace(0, len(images.labels) - 1, whole).astype(int)
    return replace(images, pixels=images.pixels[chosen], labels=images.labels[chosen])


def main() -> None:
    """Take steps of all three in turns."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("src", type=Path)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--precision", default="auto", choices=["auto", "fp32", "bf16"])
    options = parser.parse_args()

    images = read(options.src)
    precision = resolve_precision(options.precision, CPU)
    script = public_script.PublicScript(images.pixels[:] / 127.5 - 1.0, images.labels)
    ways = {"public_script": steps(script, script.batches(), options.steps)}
    decoders: dict[str, Decoder] = {"mirrored": "mirrored", "scripts_network": "script"}
    for name, decoder in decoders.items():
        out = Path("never-written.safetensors")
        config = TrainAeConfig(src=options.src, out=out, decoder=decoder)
        training = autoencoder_trainer(config, images, CPU, precision)
        ways[name] = steps(training, without_end(training), options.steps)

    times = in_turns(ways, options.rounds)
    script_times = times["public_script"]
    result = {
        "threads": torch.get_num_threads(),
        "precision": precision,
        "images_per_second": {
            name: rate(one, options.steps * public_script.BATCH) for name, one in times.items()
        },
        "times_as_fast": {
            name: times_as_long(script_times, times[name])
            for name in ("mirrored", "scripts_network")
        },
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
