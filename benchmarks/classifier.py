"""Training steps of `aos-train` beside a plain PyTorch loop: the same network, batches and changes.

    python -m benchmarks.classifier rare --model resnet32 --images 2560 --rounds 3

The plain loop is what tutorials show: torchvision's ImageFolder, RandomCrop and
RandomHorizontalFlip, a DataLoader with two workers, torch's default memory layout, and SGD.
Both count the images of an epoch, whose validation or start is not timed. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, RandomSampler
from torchvision import transforms
from torchvision.datasets import ImageFolder

from imbsynth.configs import AosTrainConfig
from imbsynth.engine import aos_train
from imbsynth.models.classifiers import Classifier, ImageShape
from imbsynth.runtime import resolve_device

BATCH, WORKERS = 128, 2
MEAN, DEVIATION = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)


def ours(options: argparse.Namespace) -> float:
    """Images per second over the training loop of `aos-train`."""
    with tempfile.TemporaryDirectory() as folder:
        report = aos_train.run(
            AosTrainConfig(
                src=options.src,
                out=Path(folder, "clf.safetensors"),
                model=options.model,
                oversample="none",
                augment="flip-crop",
                optimizer="sgd",
                lr=0.1,
                weight_decay=5e-4,
                batch_size=BATCH,
                epochs=1,
                images_per_epoch=options.images,
                val_fraction=0.02,
                device=options.device,
                precision=options.precision,
            )
        )
    return report.images_per_second


def plain(options: argparse.Namespace) -> float:
    """Images per second over the second epoch, when the workers have started."""
    device = resolve_device(options.device)
    width, height = ImageFolder(options.src)[0][0].size
    changes = transforms.Compose(
        [
            transforms.RandomCrop((height, width), padding=width // 8),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, DEVIATION),
        ]
    )
    images = ImageFolder(options.src, changes)
    loader = DataLoader(
        images,
        BATCH,
        sampler=RandomSampler(images, num_samples=options.images),
        num_workers=WORKERS,
        persistent_workers=True,
        pin_memory=device.type == "cuda",
    )
    network = Classifier(options.model, ImageShape(3, height, width), len(images.classes))
    network.to(device).train()
    optimiser = torch.optim.SGD(network.parameters(), 0.1, 0.9, weight_decay=5e-4, nesterov=True)
    loss = nn.CrossEntropyLoss()
    for _ in range(2):
        start, seen = time.perf_counter(), 0
        for batch, labels in loader:
            optimiser.zero_grad()
            loss(network(batch.to(device)), labels.to(device)).backward()
            optimiser.step()
            seen += len(batch)
        if device.type == "cuda":
            torch.cuda.synchronize()
    return seen / (time.perf_counter() - start)


def main() -> None:
    """Time both in turns."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("src", type=Path)
    parser.add_argument("--model", default="resnet32")
    parser.add_argument("--images", type=int, default=2560)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto", help="of ours; the plain loop has fp32")
    options = parser.parse_args()

    ways: dict[str, Callable[[argparse.Namespace], float]] = {"ours": ours, "plain": plain}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(options.rounds):
        for name in list(ways)[:: -1 if number % 2 else 1]:
            rates[name].append(ways[name](options))
    ratios = [one / other for one, other in zip(rates["ours"], rates["plain"], strict=True)]
    result = {name: round(statistics.median(found), 1) for name, found in rates.items()}
    spread = [round(min(ratios), 3), round(max(ratios), 3)]
    times = round(statistics.median(ratios), 3)
    print(json.dumps({"images_per_second": result, "times_as_fast": times, "spread": spread}))


if __name__ == "__main__":
    main()
