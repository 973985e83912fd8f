"""Peak memory of fid for a folder and for a tenth of its images.

    python -m benchmarks.fid_memory mnist/train mnist/test --features pixels --image-size 45

(45 x 45 pixels are 2,025 dimensions, about as many as Inception's.) Prints one JSON line: images
and peak resident memory in MiB of both, and the ratio.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

from benchmarks.processes import IMBSYNTH, cost_of
from imbsynth.store.folders import scan


def main() -> None:
    """Run fid on both."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("real", type=Path)
    parser.add_argument("fake", type=Path)
    options, more = parser.parse_known_args()
    pairs = [(options.real, options.fake)]
    with tempfile.TemporaryDirectory() as folder:
        tenth = []
        for number, source in enumerate(pairs[0]):
            counts = ",".join(str(max(2, n // 10)) for n in scan(source).counts.values())
            tenth.append(Path(folder, str(number)))
            make = [*IMBSYNTH, "imbalance", str(source), str(tenth[-1]), "--counts", counts, "-q"]
            subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
        pairs.insert(0, (tenth[0], tenth[1]))
        images = [sum(len(scan(side).paths()) for side in pair) for pair in pairs]
        peaks = [
            cost_of([*IMBSYNTH, "fid", *map(str, pair), "--quiet", *more]).mib for pair in pairs
        ]
    result = {"images": images, "peak_mib": [round(peak) for peak in peaks]}
    print(json.dumps({**result, "ratio": round(peaks[1] / peaks[0], 3)}))


if __name__ == "__main__":
    main()
