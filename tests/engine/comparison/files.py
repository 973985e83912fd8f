"""Experiments and evaluations as the commands write them, for the tests of `compare`."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from imbsynth.engine.comparison.stored import EVALUATED

ThreeByThree = dict[str, list[list[float]]]
CLEAR: ThreeByThree = {
    "plain": [[0.50, 0.52], [0.60, 0.60], [0.7, 0.7]],
    "ROS": [[0.60, 0.62], [0.70, 0.70], [0.65, 0.65]],
    "AOS": [[0.70, 0.76], [0.80, 0.80], [0.9, 0.9]],
}


def scores_of(value: float, trained: dict[str, int]) -> dict[str, Any]:
    """What `evaluate` writes; recalls of 0.9, 0.8, ... in the order of the classes."""
    classes = {
        name: {"trained": n, "recall": 0.9 - i / 10} for i, (name, n) in enumerate(trained.items())
    }
    intervals = {name: [0.4, 0.6] for name in EVALUATED}
    scores: dict[str, Any] = dict.fromkeys(EVALUATED, 0.5) | {"acsa": value}
    return scores | {"intervals": intervals, "per_class": classes}


def write_results(
    out: Path, acsa: dict[str, list[list[float]]], largest: dict[str, int] | None = None
) -> None:
    """An experiment with the given ACSA by method, data set and seed.

    Its imbalances have the given numbers of images in the largest class, and 2 in the other one.
    """
    names = []
    for method, sets in acsa.items():
        for i, values in enumerate(sets):
            for imbalance, images in (largest or {"x": 9}).items():
                for seed, value in enumerate(values):
                    trial: dict[str, Any] = {"data": f"set {i}", "imbalance": imbalance}
                    trial |= {"method": method, "seed": seed}
                    counts = {"a": images, "b": 2}
                    names.append(f"set {i}/{imbalance}/{method}/{seed}")
                    found = {"trial": trial, "imbalanced_copy": {"counts": counts}}
                    found["tests"] = {"test": scores_of(value, counts)}
                    path = out / "trials" / f"{names[-1]}.json"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(json.dumps(found))
    out.mkdir(parents=True, exist_ok=True)
    (out / "protocol.json").write_text(json.dumps({"trials": names}))


def write_evaluation(folder: Path, value: float, trained: dict[str, int]) -> None:
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps(scores_of(value, trained)))


def write_predictions(
    folder: Path, right: Sequence[int], *, of: int = 40, names: str = "ab"
) -> None:
    """The predictions of an evaluation: so many of the `of` images of each class are right."""
    with open(folder / "predictions.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "true", "predicted"])
        for true, count in zip(names, right, strict=True):
            wrong = next(name for name in names if name != true)
            for i in range(of):
                writer.writerow([f"{true}/{i}.png", true, true if i < count else wrong])


def write_tested_on(folder: Path, test: str, digest: str) -> None:
    """The record of an evaluation, as far as it says what images it is of."""
    record = {"inputs": {"src": digest}, "config": {"src": test}}
    (folder / "run.json").write_text(json.dumps(record))


def change(path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    found = json.loads(path.read_text())
    edit(found)
    path.write_text(json.dumps(found))


def lines_of(path: Path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def make_older(out: Path) -> None:
    """Give an experiment's files the names that older versions wrote."""
    (out / "trials").rename(out / "cells")
    change(out / "protocol.json", lambda found: found.update(cells=found.pop("trials")))
    for path in (out / "cells").rglob("*.json"):
        change(path, _rename)


def _rename(found: dict[str, Any]) -> None:
    found["cell"] = found.pop("trial")
    if "imbalanced_copy" in found:
        found["cut"] = found.pop("imbalanced_copy")
    options = (found.get("recipe") or {}).get("generate")
    if options:
        options["neighbours"] = options.pop("k_neighbors")
