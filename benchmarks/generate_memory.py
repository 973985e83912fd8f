"""Peak memory of generate for ten times the synthetic images.

    python -m benchmarks.generate_memory rare --ae ae.safetensors --to 1000 10000

Prints one JSON line: peak resident memory in MiB for each target, and the ratio.
"""

from __future__ import annotations

import argparse
import json
import tempfile

from benchmarks.processes import IMBSYNTH, cost_of


def main() -> None:
    """Run generate once for each target."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("src")
    parser.add_argument("--ae")
    parser.add_argument("--to", type=int, nargs=2, default=[1000, 10_000])
    options = parser.parse_args()
    peaks = []
    for target in options.to:
        with tempfile.TemporaryDirectory() as folder:
            command = [*IMBSYNTH, "generate", options.src, f"{folder}/out", "--quiet"]
            command += ["--synthetic-only", "--to", str(target)]
            peaks.append(cost_of(command + (["--ae", options.ae] if options.ae else [])).mib)
    result = {"to": options.to, "peak_mib": [round(peak) for peak in peaks]}
    print(json.dumps({**result, "ratio": round(peaks[1] / peaks[0], 3)}))


if __name__ == "__main__":
    main()
