"""inspect, imbalance and split beside a plain copy of the same folder, in turns, in one run.

    python benchmarks/files.py mnist/train

Prints one JSON line: files a second (median, lowest and highest of the rounds) and the ratio to
the plain copy. `imbalance` and `split` take every file.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from imbsynth.store.folders import scan

IMBSYNTH = [sys.executable, "-m", "imbsynth"]


def seconds(command: list[str]) -> float:
    """How long a command takes; it must succeed."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Time each command once a round."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("src", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    src, counts = str(options.src), scan(options.src).counts
    everything = ",".join(map(str, counts.values()))

    # Beside the source, since hard links stay within one file system.
    with tempfile.TemporaryDirectory(dir=options.src.parent) as folder:
        out = f"{folder}/out"
        imbalance = [*IMBSYNTH, "imbalance", src, out, "--counts", everything]
        commands = {
            "cp -r": ["cp", "-r", src, out],
            "cp -rl": ["cp", "-rl", src, out],
            "inspect": [*IMBSYNTH, "inspect", src],
            "imbalance": imbalance,
            "imbalance --link hard": [*imbalance, "--link", "hard"],
            "split": [*IMBSYNTH, "split", src, out],
            "split --link hard": [*IMBSYNTH, "split", src, out, "--link", "hard"],
        }
        taken: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(options.rounds):
            for name, command in commands.items():
                taken[name].append(seconds(command))
                shutil.rmtree(out, ignore_errors=True)

    files = sum(counts.values())
    result = {
        name: {
            "files_per_second": round(files / statistics.median(times)),
            "spread": [round(files / max(times)), round(files / min(times))],
            "times_cp": round(
                statistics.median(times)
                / statistics.median(taken["cp -rl" if "hard" in name else "cp -r"]),
                2,
            ),
        }
        for name, times in taken.items()
    }
    print(json.dumps({"files": files, **result}))


if __name__ == "__main__":
    main()
