"""Time and peak memory of generate by the samplers that look at all classes, and by generators.

    python -m benchmarks.samplers rare --methods amdo ccr rbo --generators bagan gamo

Prints one JSON line: for each method, seconds, processor seconds of all threads and peak resident
memory in MiB of the main process, and how many times the processor time of SMOTE it takes. For a
generator also what its training costs, for one epoch of each of its stages.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from typing import Any

from benchmarks.processes import IMBSYNTH, Cost, cost_of


def cost_of_method(src: str, *options: str) -> Cost:
    """Bring every class of a folder up to the largest."""
    with tempfile.TemporaryDirectory() as folder:
        command = [*IMBSYNTH, "generate", src, f"{folder}/out", "--synthetic-only", "--quiet"]
        return cost_of([*command, *options])


def costs_of_generator(src: str, kind: str) -> tuple[Cost, Cost]:
    """The same with a generator, and its training."""
    with tempfile.TemporaryDirectory() as folder:
        out = f"{folder}/generator.safetensors"
        command = [*IMBSYNTH, "train-generator", src, "--out", out, "--kind", kind, "--quiet"]
        training = cost_of([*command, "--pretrain-epochs", "1", "--epochs", "1"])
        return cost_of_method(src, "--generator", out), training


def told(cost: Cost) -> dict[str, float]:
    """A cost in round numbers."""
    return {
        "seconds": round(cost.seconds, 1),
        "processor": round(cost.processor, 1),
        "peak_mib": round(cost.mib),
    }


def main() -> None:
    """Run generate once with each method."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("src")
    parser.add_argument("--methods", nargs="*", default=["amdo", "ccr", "rbo"])
    parser.add_argument("--generators", nargs="*", default=["bagan", "gamo"])
    options = parser.parse_args()
    methods = ["smote", *options.methods]
    costs = {method: cost_of_method(options.src, "--method", method) for method in methods}
    trained = {kind: costs_of_generator(options.src, kind) for kind in options.generators}
    costs |= {kind: cost for kind, (cost, _) in trained.items()}
    result: dict[str, dict[str, Any]] = {
        name: {**told(cost), "times_smote": round(cost.processor / costs["smote"].processor, 2)}
        for name, cost in costs.items()
    }
    for kind, (_, training) in trained.items():
        result[kind]["training"] = told(training)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
