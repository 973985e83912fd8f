"""The distance alone, beside pytorch-fid's and torch-fidelity's, on the same features in turns.

    python benchmarks/fid_distance.py

Features are random with a spectrum that falls as Inception's does. Prints one JSON line: median
seconds for 5,000 against 5,000 images and for a class of 100, and how many times as fast ours is.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from pytorch_fid.fid_score import calculate_frechet_distance
from torch import Tensor
from torch_fidelity.metric_fid import fid_statistics_to_metric

from imbsynth.core.frechet import frechet_distance, summary_for

DIM = 2048


def features(n: int, seed: int) -> Tensor:
    """(n, 2048) float32, not negative."""
    rng = np.random.default_rng(seed)
    return torch.from_numpy((rng.normal(size=(n, DIM)) * np.geomspace(1, 1e-3, DIM)).astype("f4"))


def contenders(n: int) -> dict[str, Callable[[], float]]:
    """Each from what it keeps of n features to the distance."""
    sides = [features(n, seed) for seed in (0, 1)]
    summaries = [summary_for(n, DIM) for _ in sides]
    for summary, side in zip(summaries, sides, strict=True):
        summary.add(side)
    moments = [
        (side.double().numpy().mean(0), np.cov(side.numpy(), rowvar=False)) for side in sides
    ]
    named = [{"mu": mu, "sigma": sigma} for mu, sigma in moments]

    def pytorch_fid() -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return float(calculate_frechet_distance(*moments[0], *moments[1]))

    def torch_fidelity() -> float:
        return fid_statistics_to_metric(*named, verbose=False)["frechet_inception_distance"]

    return {
        "imbsynth": lambda: frechet_distance(*summaries),
        "pytorch_fid": pytorch_fid,
        "torch_fidelity": torch_fidelity,
    }


def main() -> None:
    """Time each once a round."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    result: dict[str, Any] = {"threads": torch.get_num_threads()}
    for n in (5000, 100):
        ways = contenders(n)
        taken: dict[str, list[float]] = {name: [] for name in ways}
        values = {}
        for _ in range(options.rounds):
            for name, way in ways.items():
                start = time.process_time()  # of all threads: a busy machine counts for nobody
                values[name] = way()
                taken[name].append(time.process_time() - start)
        seconds = {name: statistics.median(times) for name, times in taken.items()}
        result[f"{n} images"] = {
            "seconds": {name: round(value, 4) for name, value in seconds.items()},
            "times_as_fast": {
                name: round(value / seconds["imbsynth"], 1) for name, value in seconds.items()
            },
            "values": values,
        }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
