"""Start-up: `imbsynth --help` and `imbsynth inspect`, each beside the least that does the same.

    python -m benchmarks.startup --images 1000 --rounds 10

Help beside `import typer, rich` (aim: 1.5 times as long); inspect of 1,000 images of 28x28 pixels
beside a program that only opens and decodes them with Pillow. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.pairs import command, in_turns, times_as_long

IMBSYNTH = [sys.executable, "-m", "imbsynth"]
CLASSES = 10
DECODE = """
import sys
from pathlib import Path
from PIL import Image
for path in Path(sys.argv[1]).rglob("*.png"):
    with Image.open(path) as image:
        image.load()
"""


def make_folder(root: Path, images: int) -> None:
    """So many images of noise, all different."""
    rng = np.random.default_rng(0)
    for number in range(images):
        folder = root / f"class-{number % CLASSES}"
        folder.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (28, 28), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:05d}.png")


def main() -> None:
    """Time both pairs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make_folder(Path(folder), options.images)
        ways = {
            "help": command([*IMBSYNTH, "--help"]),
            "import typer, rich": command([sys.executable, "-c", "import typer, rich"]),
            "inspect": command([*IMBSYNTH, "inspect", folder, "--json", "--quiet"]),
            "Pillow": command([sys.executable, "-c", DECODE, folder]),
        }
        times = in_turns(ways, options.rounds)
    result = {
        "images": options.images,
        "help": times_as_long(times["help"], times["import typer, rich"]),
        "inspect": times_as_long(times["inspect"], times["Pillow"]),
    }
    print(json.dumps({"times_as_long": result}))


if __name__ == "__main__":
    main()
