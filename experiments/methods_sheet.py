"""Images that each method makes of the same folder, beside one another.

    python experiments/methods_sheet.py TRAIN OUT.png --ae AE --classifier CLF \\
        --generators GENERATOR...

A row per class, of those with the fewest images; the methods in columns. What a method makes of a
class is its first rows of the plan, as `generate` writes them with the same seed. AOS moves the
real images that are shown, by its default epsilon and by five times as much.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn.functional import cross_entropy

from imbsynth.configs import GenerateConfig
from imbsynth.core.attacks import fgsm
from imbsynth.core.pixels import to_bytes, to_unit
from imbsynth.engine import generate
from imbsynth.engine.inference.classifier import TrainedClassifier, load_classifier
from imbsynth.figures.sheets import SheetRow, write_sheet
from imbsynth.models.classifiers import Classifier
from imbsynth.store.checkpoint_headers import read_header
from imbsynth.store.folders import scan

ROWS, SHOWN = 5, 2  # classes, and images of each by each method
PIXELS = ("smote", "amdo", "ccr", "rbo")
LATENT = {
    "DeepSMOTE": {"decode": "plain"},
    "residual": {},
    "transfer": {"method": "transfer"},
}

EPSILONS = (0.02, 0.1)  # of AOS

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
    wanted = {name: count + SHOWN * (name in classes) for name, count in scan(train).counts.items()}
    with tempfile.TemporaryDirectory() as temporary:
        out, per_class = Path(temporary, "made"), Path(temporary, "wanted.json")
        per_class.write_text(json.dumps(wanted))
        config = GenerateConfig(
            src=train, dst=out, per_class=per_class, synthetic_only=True, **options
        )
        generate.run(config)
        return [pictures(sorted((out / name).iterdir())[:SHOWN]) for name in classes]


def moved(
    classifier: TrainedClassifier, real: list[list[Picture]], classes: list[str], epsilon: float
) -> list[list[Picture]]:
    """The real images of each class, moved as AOS moves them."""
    found = []
    model = classifier.model.eval()
    for name, images in zip(classes, real, strict=True):
        label = torch.full((len(images),), classifier.classes.index(name))
        climbed = partial(_loss, model, label)
        pixels = to_unit(torch.from_numpy(np.stack(images)))
        rng = np.random.default_rng(0)  # which this attack does not use
        found.append(list(to_bytes(fgsm(pixels, climbed, rng, epsilon=epsilon)).numpy()))
    return found


def _loss(model: Classifier, labels: Tensor, images: Tensor) -> Tensor:
    return cross_entropy(model(images), labels, reduction="sum")


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
    parser.add_argument("--classifier", type=Path, required=True)
    parser.add_argument("--generators", type=Path, nargs="*", default=[])
    given = parser.parse_args()
    files = scan(given.train).files
    classes = sorted(sorted(files, key=lambda name: len(files[name]))[:ROWS])
    real = [pictures([given.train / path for path in files[name][:SHOWN]]) for name in classes]
    shown = list(columns(given.ae, given.generators))
    groups = {"real": real}
    groups |= {one.name: made(given.train, one.options, classes) for one in shown}
    classifier = load_classifier(given.classifier)
    for epsilon in EPSILONS:
        groups[f"AOS, {epsilon}"] = moved(classifier, real, classes, epsilon)
    rows = [
        SheetRow(name, [column[row] for column in groups.values()])
        for row, name in enumerate(classes)
    ]
    write_sheet(given.out, rows, list(groups))


if __name__ == "__main__":
    main()
