"""Only encoding and writing PNG files, with Pillow: what `generate` is held against.

    python -m benchmarks.png_writer PIXELS.npy FOLDER FIRST STEP

Writes every STEP-th image from FIRST on. Says "ready" on stdout when its images are in memory,
begins with a line on stdin, and then prints its processor time.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image


def main() -> None:
    """Encode and write; the images are (n, c, h, w) uint8."""
    file, folder, first, step = sys.argv[1:]
    pixels = np.load(file)[int(first) :: int(step)]
    images = [
        Image.fromarray(one[0] if len(one) == 1 else one.transpose(1, 2, 0)) for one in pixels
    ]
    print("ready", flush=True)
    sys.stdin.readline()
    start = time.process_time()
    for number, image in enumerate(images):
        image.save(Path(folder, f"{first}-{number:06d}.png"), "PNG")
    print(time.process_time() - start, flush=True)


if __name__ == "__main__":
    main()
