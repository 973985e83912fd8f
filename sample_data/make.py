"""Write the sample data: scikit-learn's bundled handwritten digits, as PNG."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

TEST_IMAGES = 500  # a natural sample: every digit about equally often
TRAIN_COUNTS = (120, 90, 68, 51, 38, 29, 22, 16, 12, 9)  # digit 0 to 9; largest / smallest 13
FULL = 16  # the gray level that the data calls white


def main() -> None:
    """Write train/ and test/ beside this file."""
    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.target))
    test, rest = order[:TEST_IMAGES], order[TEST_IMAGES:]
    train = [rest[digits.target[rest] == digit][:n] for digit, n in enumerate(TRAIN_COUNTS)]
    for part, chosen in (("test", test), ("train", np.concatenate(train))):
        for index in chosen:
            pixels = np.rint(digits.images[index] * (255 / FULL)).astype(np.uint8)
            folder = Path(__file__).parent / part / str(digits.target[index])
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(folder / f"{index:04d}.png")


if __name__ == "__main__":
    main()
