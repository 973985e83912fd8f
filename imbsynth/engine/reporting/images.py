"""The part of a report on folders of images: class counts, and a few images of each class."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from functools import partial

from imbsynth.core.profiles import by_size, rho
from imbsynth.engine.reporting.below import OF_IMAGES, Below
from imbsynth.engine.reporting.parts import Part, joined, named
from imbsynth.engine.reporting.pictures import is_own
from imbsynth.figures.sheets import LARGEST, SheetRow, write_sheet
from imbsynth.pages.blocks import Bar, Block, Cell, Picture, Section, Table, Text
from imbsynth.store.decoding import decode
from imbsynth.store.folders import IMAGE_SUFFIXES
from imbsynth.store.image_files import thumbnail

PER_CLASS = 8  # images on a sheet
TRAIN = "train"  # the part of a split whose images are shown

Counts = dict[str, int]


def image_part(below: Below) -> Part | None:
    """Class counts of splits, imbalanced copies and other folders; None if there are none."""
    blocks: list[Block] = []
    best = ""
    for path, parts in _folders(below).items():
        name = named(below, path)
        first = parts.get(TRAIN) or next(iter(parts.values()))
        said = _sentence(name, parts, first)
        best = best or said
        blocks += [Text(said), _table(name, parts, first), *_sheet(below, path, parts, name)]
    return Part(Section("Images", blocks), best) if blocks else None


def _folders(below: Below) -> dict[str, dict[str, Counts]]:
    """{folder: {part: {class: images}}}; a folder without parts has one that is called ""."""
    found: dict[str, dict[str, Counts]] = {}
    for path, output in below.outputs.items():
        if output.origin.command not in OF_IMAGES or output.origin.command == "generate":
            continue
        parts: dict[str, Counts] = {}
        for file in output.files:
            part, _, inner = file.rpartition("/")[0].rpartition("/")
            if output.origin.command != "split":
                part, inner = "", file.split("/")[0] if "/" in file else ""
            if inner and os.path.splitext(file)[1].lower() in IMAGE_SUFFIXES:
                counts = parts.setdefault(part, {})
                counts[inner] = counts.get(inner, 0) + 1
        found |= {path: parts} if parts else {}
    for path, counts in below.class_folders.items():
        found[path] = {"": counts}
    return found


def _sentence(name: str, parts: Mapping[str, Counts], first: Counts) -> str:
    total = sum(sum(counts.values()) for counts in parts.values())
    ordered = by_size(first)
    large, small = ordered[0], ordered[-1]
    return (
        f"{name} has {total} images in {len(first)} classes: the largest, {large}, has "
        f"{rho(first):.3g} times as many images as the smallest, {small}"
        f"{' (of those to train on)' if len(parts) > 1 else ''}."
    )


def _table(name: str, parts: Mapping[str, Counts], first: Counts) -> Table:
    """A row per class, the largest first; a column per part."""
    largest = max(first.values())
    rows: list[list[Cell]] = []
    for label in by_size(first):
        others = [str(c.get(label, 0)) for c in parts.values() if c is not first]
        rows.append([label, Bar(str(first[label]), first[label] / largest), *others])
    own = [part or "images" for part, counts in parts.items() if counts is first]
    rest = [part for part, counts in parts.items() if counts is not first]
    return Table(f"{name}: images by class", ["class", *own, *rest], rows)


def _sheet(below: Below, path: str, parts: Mapping[str, Counts], name: str) -> list[Picture]:
    """The first images of each class, drawn; none if they are linked or cannot be read."""
    part = TRAIN if TRAIN in parts else next(iter(parts))
    place = joined(path, part) if part else path
    rows = []
    for label in by_size(parts[part]):
        files = _files(below, joined(place, label))
        found = (below.attempt(f, partial(thumbnail, below.root / f, LARGEST)) for f in files)
        images = [pixels for pixels in found if pixels is not None]
        rows += [SheetRow(label, [images])] if images else []
    if not rows:
        return []
    drawn = io.BytesIO()
    write_sheet(drawn, rows, [""])
    height, width = decode(drawn.getvalue()).pixels.shape[:2]
    alt = f"The first images of each class of {name}, a row per class, the largest first."
    return [
        Picture(drawn.getvalue(), (height, width), alt, f"The first images of each class of {name}")
    ]


def _files(below: Below, folder: str) -> list[str]:
    """The first images of a class, none of which is a link."""
    try:
        names = sorted(os.listdir(below.root / folder))
    except OSError:
        return []
    images = (n for n in names if os.path.splitext(n)[1].lower() in IMAGE_SUFFIXES)
    return [path for n in list(images)[:PER_CLASS] if is_own(below.root, path := joined(folder, n))]
