"""Images that each method makes of the same folder, beside one another.

    python experiments/methods_sheet.py TRAIN OUT.png --ae AE --generators GENERATOR...

A row per class, of those with the fewest images; the methods in columns. What a method makes of a
class is its first rows of the plan, as `generate` writes them with the same seed.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imbsynth.configs import GenerateConfig
from imbsynth.engine import generate
from imbsynth.figures.sheets import SheetRow, write_sheet
from imbsynth.store.checkpoint_headers import read_header
from imbsynth.store.folders import scan

ROWS, SHOWN = 5, 3  # classes, and images of each by each method
PIXELS = ("smote", "amdo", "ccr", "rbo")
LATENT = {
    "DeepSMOTE": {},
    "residual": {"decode": "residual"},
    "transfer": {"method": "transfer", "decode": "residual"},
}

Picture = NDArray[np.uint8]


class Column(NamedTuple):
    """A method and its options of `generate`."""

    name: str
    options: dict[str, Any]


def columns(ae: Path, generators: list[Path]) -> Iterator[Column]:
    """What is shown, from left to right."""
    for method in PIXELS:
        yield Column(method, {"method": method})
    for name, options in LATENT.items():
        yield Column(name, {"ae": ae, **options})
    yield Column("augment", {"method": "augment", "augment": "affine"})
    for path in generators:
        yield Column(str(read_header(path)["generator"]), {"generator": path})


def made(train: Path, options: dict[str, Any], classes: list[str]) -> list[list[Picture]]:
    """The first synthetic images of each class."""
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary) / "made"
        generate.run(GenerateConfig(src=train, dst=out, synthetic_only=True, **options))
        return [pictures(sorted((out / name).iterdir())[:SHOWN]) for name in classes]


def pictures(paths: list[Path]) -> list[Picture]:
    """(c, h, w) uint8 images."""
    found = []
    for path in paths:
        pixels = np.asarray(Image.open(path))
        found.append(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1))
    return found


def main() -> None:
    """Make a few images by every method and draw them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("train", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--ae", type=Path, required=True)
    parser.add_argument("--generators", type=Path, nargs="*", default=[])
    given = parser.parse_args()
    files = scan(given.train).files
    classes = sorted(sorted(files, key=lambda name: len(files[name]))[:ROWS])
    real = [pictures([given.train / path for path in files[name][:SHOWN]]) for name in classes]
    shown = list(columns(given.ae, given.generators))
    groups = [real, *(made(given.train, column.options, classes) for column in shown)]
    rows = [SheetRow(name, [group[row] for group in groups]) for row, name in enumerate(classes)]
    write_sheet(given.out, rows, ["real", *(column.name for column in shown)])


if __name__ == "__main__":
    main()
