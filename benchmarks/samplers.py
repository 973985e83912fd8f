"""Time and peak memory of generate by the samplers that look at all classes, beside SMOTE.

    python -m benchmarks.samplers rare --methods amdo ccr rbo

Prints one JSON line: for each method, seconds, processor seconds of all threads and peak resident
memory in MiB of the main process, and how many times SMOTE's processor time it takes.
"""

from __future__ import annotations

import argparse
import json
import tempfile

from benchmarks.processes import IMBSYNTH, Cost, cost_of


def cost_of_method(src: str, method: str) -> Cost:
    """Bring every class of a folder up to the largest, in pixels."""
    with tempfile.TemporaryDirectory() as folder:
        command = [*IMBSYNTH, "generate", src, f"{folder}/out", "--synthetic-only", "--quiet"]
        return cost_of([*command, "--method", method])


def main() -> None:
    """Run generate once with each method."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("src")
    parser.add_argument("--methods", nargs="+", default=["amdo", "ccr", "rbo"])
    options = parser.parse_args()
    costs = {method: cost_of_method(options.src, method) for method in ["smote", *options.methods]}
    result = {
        method: {
            "seconds": round(cost.seconds, 1),
            "processor": round(cost.processor, 1),
            "peak_mib": round(cost.mib),
            "times_smote": round(cost.processor / costs["smote"].processor, 2),
        }
        for method, cost in costs.items()
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
