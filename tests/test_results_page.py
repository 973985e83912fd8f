"""Every mean and deviation that is printed is that of a committed result."""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

PROJECT = Path(__file__).parent.parent
EXPERIMENTS = PROJECT / "experiments"
SPREAD = re.compile(r"(\d+\.\d+)(?:\*\*)? ± (\d+\.\d+)")

Values = list[float]  # of one score of one method, by seed


def of_protocols() -> Iterator[Values]:
    """What `compare` made of the experiments that were run."""
    found: dict[tuple[str, ...], Values] = defaultdict(list)
    for path in sorted(EXPERIMENTS.glob("results/*/results.csv")):
        with path.open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                for score, value in row.items():
                    if score not in ("problem", "method", "seed") and value:
                        place = (path.parent.name, row["problem"], row["method"], score)
                        found[place].append(float(value))
    yield from found.values()


def of_scripts() -> Iterator[Values]:
    """What the scripts beside them wrote."""
    for name in ("aos_cifar", "aos_mnist"):
        for scores in read(name).values():
            yield from scores.values()
    for seeds in read("heads").values():
        for head in seeds["0"]:
            yield [seed[head]["test"]["acsa"] for seed in seeds.values()]
    found = defaultdict(list)
    for name, numbers in shortcuts().items():
        found[name.split("-")[0], "acsa"].append(numbers["acsa_decoded"])
        found[name.split("-")[0], "flips"].append(numbers["majority"]["flips"])
    yield from found.values()


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EXPERIMENTS / f"{name}.json").read_text())
    return found


def shortcuts() -> dict[str, Any]:
    """What became of the answers of classifiers when the test images were decoded."""
    found: dict[str, Any] = read("blur_mnist")["rho 60, mu 0.8"]["DeepSMOTE, 10 epochs"]
    classifiers: dict[str, Any] = found["classifiers"]
    return classifiers


@pytest.mark.parametrize("page", ["README.md", "docs/results.md"])
def test_every_mean_with_a_deviation_is_that_of_a_committed_result(page: str) -> None:
    committed = set()
    for values in (*of_protocols(), *of_scripts()):
        if len(values) > 1:
            mean, deviation = 100 * np.mean(values), 100 * np.std(values, ddof=1)
            committed |= {(f"{mean:.{n}f}", f"{deviation:.{n}f}") for n in (1, 2)}
    printed = SPREAD.findall((PROJECT / page).read_text(encoding="utf-8"))
    assert printed
    assert [pair for pair in printed if pair not in committed] == []
