"""The commands on one device in one go: how fast, and how much of what the device can do.

    python -m benchmarks.gpu rare-mnist --test mnist/test --out gpu.json

rare-mnist is the DeepSMOTE paper's MNIST of 4,000 to 40 images a class, so that the whole job is 50
epochs of train-ae and 31,000 synthetic images; it takes less than five minutes. `--tiny` is a
trial of the same in seconds, also with `--device cpu`. Writes and prints one JSON object: images a
second of each command, the arithmetic that a training step reaches and its fraction of the rate
that a large matrix product reaches here in the same precision, aos beside ros, seconds of the job.
"""

from __future__ import annotations

import argparse
import itertools
import json
import platform
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.aos import seconds_per_epoch
from imbsynth.configs import FidConfig, GenerateConfig, TrainAeConfig
from imbsynth.engine import fid, generate, train_ae
from imbsynth.engine.distances.inception import usual_places
from imbsynth.engine.reading import read_labelled
from imbsynth.engine.training.autoencoder import autoencoder_trainer
from imbsynth.runtime import arithmetic, resolve_device, resolve_precision
from imbsynth.store.folders import scan
from imbsynth.store.images import AS_THEY_ARE
from imbsynth.store.weights import present

ROUNDS = 3


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of the clock, and what came of it."""
    start = time.perf_counter()
    made = work()
    return time.perf_counter() - start, made


def matmul_rate(device: torch.device, precision: str, side: int) -> float:
    """Operations a second of a square matrix product, the best of several."""
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    left, right = (torch.randn(side, side, device=device, dtype=kind) for _ in range(2))

    def product() -> None:
        with arithmetic(device, "fp32"):
            torch.mm(left, right)
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    return 2 * side**3 / min(timed(product)[0] for _ in range(10))


def operations_an_image(src: Path, device: torch.device, precision: str) -> float:
    """Multiplications and additions of a training step, for each image of its first batch."""
    images = read_labelled(src, AS_THEY_ARE, on_event=lambda _: None)
    config = TrainAeConfig(src=src, out=Path("never-written.safetensors"))
    training = autoencoder_trainer(config, images, device, precision)
    (batch,) = itertools.islice(training.batches(), 1)
    with FlopCounterMode(display=False) as counter:
        training.take_step(batch)
    return counter.get_total_flops() / len(batch[0])


def job(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Train an autoencoder and even out the classes with it, as one would."""
    ae, made = folder / "ae.safetensors", folder / "made"
    training = TrainAeConfig(
        src=options.src, out=ae, epochs=options.epochs, patience=0, device=options.device
    )
    making = GenerateConfig(src=options.src, dst=made, ae=ae, device=options.device)
    train_seconds, trained = timed(partial(train_ae.run, training))
    generate_seconds, generated = timed(partial(generate.run, making))
    return {
        "epochs": trained.epochs,
        "synthetic_images": sum(generated.added.values()),
        "train_seconds": round(train_seconds, 2),
        "generate_seconds": round(generate_seconds, 2),
        "seconds": round(train_seconds + generate_seconds, 2),
        "train_images_per_second": round(trained.images_per_second, 1),
        "generate_images_per_second": round(generated.images_per_second, 1),
    }


def aos_beside_ros(options: argparse.Namespace) -> dict[str, float]:
    """Seconds an epoch of both, in turns; the fastest of each, since what disturbs adds."""
    taken: dict[str, list[float]] = {"ros": [], "aos": []}
    for _ in range(options.rounds):
        taken["ros"].append(seconds_per_epoch(options, "ros"))
        taken["aos"].append(seconds_per_epoch(options, "aos"))
    ros, aos = min(taken["ros"]), min(taken["aos"])
    return {
        "ros_seconds": round(ros, 3),
        "aos_seconds": round(aos, 3),
        "ratio": round(aos / ros, 3),
    }


def distances(options: argparse.Namespace) -> dict[str, Any]:
    """Images a second of fid, on both kinds of features; null without the weights of Inception."""
    images = len(scan(options.src).paths()) + len(scan(options.test).paths())
    rates: dict[str, Any] = {"pixels": None, "inception": None}
    for features in ["pixels", *(["inception"] if present(usual_places()) else [])]:
        config = FidConfig(
            real=options.test, fake=options.src, features=features, device=options.device
        )
        rates[features] = round(images / timed(partial(fid.run, config))[0], 1)
    return rates


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("src", type=Path, nargs="?", default=Path("sample_data/train"))
    parser.add_argument("--test", type=Path, default=Path("sample_data/test"))
    parser.add_argument("--device", default="auto")
    parser.add_argument("--tiny", action="store_true", help="a trial, in seconds")
    parser.add_argument("--out", type=Path, help="where to write the JSON object")
    options = parser.parse_args()
    options.epochs, options.rounds = (1, 1) if options.tiny else (50, ROUNDS)
    options.tau, options.images_per_epoch = 1.0, 256 if options.tiny else None

    device = resolve_device(options.device)
    precision = resolve_precision("auto", device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    rate = matmul_rate(device, precision, 256 if options.tiny else 4096)
    with tempfile.TemporaryDirectory() as folder:
        done = job(options, Path(folder))
    reached = done["train_images_per_second"] * operations_an_image(options.src, device, precision)
    options.epochs = min(options.epochs, 4)
    result = {
        "device": name,
        "torch": torch.__version__,
        "precision": precision,
        "images": scan(options.src).counts,
        "matmul_tflops": round(rate / 1e12, 4),
        "train_tflops": round(reached / 1e12, 4),
        "train_fraction_of_matmul": round(reached / rate, 4),
        "job": done,
        "aos_train": aos_beside_ros(options),
        "fid_images_per_second": distances(options),
    }
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
