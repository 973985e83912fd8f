"""Time and memory of many tiny files in many classes: prints one JSON line.

python -m tests.torture.load [--files 20000 200000] [--work FOLDER]
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.processes import IMBSYNTH, cost_of

A_CLASS = 100  # images, of the larger half of the classes; the smaller half has a third fewer
SIDE = 8  # pixels

# To `fid` this adds one line, once it is there: "fid": ["fid", "{src}", "{src}", ...].
COMMANDS: dict[str, list[str]] = {
    "inspect": ["inspect", "{src}"],
    "imbalance": ["imbalance", "{src}", "{out}", "--profile", "exp", "--ratio", "10"],
    "generate --method ros": ["generate", "{src}", "{out}", "--method", "ros"],
    "fid --features pixels": ["fid", "{src}", "{src}", "--features", "pixels"],
}


def make_folder(root: Path, files: int) -> None:
    """So many files of 8x8 pixels, all different, a hundred a class on average."""
    rng = np.random.default_rng(0)
    classes = max(2, files // A_CLASS)
    sizes = [A_CLASS + (A_CLASS // 5 if k % 2 else -A_CLASS // 5) for k in range(classes)]
    for k, size in enumerate(sizes):
        folder = root / f"class-{k:05d}"
        folder.mkdir(parents=True)
        for i, pixels in enumerate(rng.integers(0, 256, (size, SIDE, SIDE), dtype=np.uint8)):
            Image.fromarray(pixels).save(folder / f"{i:04d}.png", compress_level=1)


def measured(arguments: list[str]) -> dict[str, Any]:
    """Seconds, and MiB at the peak, of a command in a process of its own."""
    found = cost_of([*IMBSYNTH, *arguments, "--quiet", "--json"])
    return {
        "seconds": round(found.seconds, 1),
        "cpu_seconds": round(found.processor, 1),
        "mib": int(found.mib),
    }


def main() -> None:
    """Measure every command at every size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, nargs="+", default=[20_000, 200_000])
    parser.add_argument("--work", type=Path, help="where to put the files")
    given = parser.parse_args()
    found: dict[str, dict[str, Any]] = {name: {} for name in COMMANDS}
    with tempfile.TemporaryDirectory(dir=given.work) as name:
        for files in given.files:
            src, out = Path(name, "src"), Path(name, "out")
            make_folder(src, files)
            for command, texts in COMMANDS.items():
                arguments = [text.format(src=src, out=out) for text in texts]
                found[command][str(files)] = measured(arguments)
                shutil.rmtree(out, ignore_errors=True)
            shutil.rmtree(src)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
