"""An epoch of `aos-train` with aos beside one with ros: the same data, model and images an epoch.

    python benchmarks/aos.py rare --rounds 3

Prints one JSON line: seconds an epoch (median, lowest and highest of the rounds, which alternate),
their ratio, and the aim, 1 + tau * share of minority images / every.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path

from imbsynth.configs import AosTrainConfig
from imbsynth.engine import aos_train
from imbsynth.store.folders import scan


def seconds_per_epoch(options: argparse.Namespace, oversample: str) -> float:
    """One training run; validation is left out, the moving of images is not."""
    with tempfile.TemporaryDirectory() as folder:
        config = AosTrainConfig(
            src=options.src,
            out=Path(folder, "clf.safetensors"),
            oversample=oversample,
            tau=options.tau,
            augment="none",
            epochs=options.epochs,
            images_per_epoch=options.images_per_epoch,
            device=options.device,
        )
        return aos_train.run(config).seconds_per_epoch


def main() -> None:
    """Time both in turns."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("src", type=Path)
    parser.add_argument("--tau", type=float, default=1.0)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--images-per-epoch", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()

    counts = scan(options.src).counts
    share = sum(n < max(counts.values()) for n in counts.values()) / len(counts)
    taken: dict[str, list[float]] = {"ros": [], "aos": []}
    for _ in range(options.rounds):
        for oversample, times in taken.items():
            times.append(seconds_per_epoch(options, oversample))

    ratios = [aos / ros for aos, ros in zip(taken["aos"], taken["ros"], strict=True)]
    result = {
        name: {"seconds_per_epoch": round(statistics.median(times), 3), "spread": times}
        for name, times in taken.items()
    }
    print(
        json.dumps(
            {
                **result,
                "ratio": round(statistics.median(ratios), 3),
                "ratio_spread": [round(min(ratios), 3), round(max(ratios), 3)],
                "aim": round(1 + options.tau * share / AosTrainConfig.every, 3),
            }
        )
    )


if __name__ == "__main__":
    main()
