"""The part of a report on trained generators: how varied and how new their images are."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from imbsynth.engine.reporting.below import Below
from imbsynth.engine.reporting.parts import beside
from imbsynth.engine.reporting.pictures import picture
from imbsynth.pages.blocks import Block, Cell, Table, Text
from imbsynth.store.fields import finite, mapping, sequence, text, whole

GENERATOR = "train-generator"  # the kind of checkpoint
MEANING = (
    "Diversity is the mean distance of two synthetic images of a class, divided by that of two "
    "real ones: below 0.5, a class has collapsed. Novelty is the median distance of synthetic "
    "images to the nearest training image, divided by that of real images that were held out: far "
    "below 1, they are nearly copies."
)


def generator_blocks(below: Below) -> list[Block]:
    """For each generator, a table with a row per class, and its pictures; none without one."""
    found = below.checkpoints_of(GENERATOR)
    blocks: list[Block] = []
    for path, header in found.items():
        table = below.attempt(path, partial(_table, path, header))
        blocks += [] if table is None else [table]
        alt = f"Real images of each class beside images that the generator {path} has made."
        blocks += picture(below, beside(path, ".png"), alt, f"Real images, and those of {path}")
    return [Text(MEANING), *blocks] if blocks else []


def _table(path: str, header: Mapping[str, Any]) -> Table:
    """Wrong if the header is damaged."""
    counts = sequence(header, "counts")
    pairs = [sequence(counts, i, 2) for i in range(len(counts))]
    images = {text(pair, 0): whole(pair, 1, 0) for pair in pairs}
    measured = [mapping(header, name) for name in ("diversity", "novelty")]
    rows: list[list[Cell]] = [
        [name, str(images[name]), *(_ratio(found, name) for found in measured)]
        for name in sorted(images, key=lambda name: -images[name])
    ]
    kind, epochs = text(header, "generator"), whole(header, "epochs", 1)
    caption = f"The generator {path} ({kind}), trained up to epoch {epochs}"
    return Table(caption, ["class", "training images", "diversity", "novelty"], rows)


def _ratio(found: Mapping[str, Any], name: str) -> str:
    """A ratio of distances; "" where there are no images to measure."""
    return "" if found.get(name) is None else f"{finite(found, name, 0):.2f}"
