"""Write what a source makes: the images, their manifest, and a sheet to look at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from imbsynth.engine.events import Advanced, OnEvent, Started
from imbsynth.engine.manifest import RECONSTRUCT, file_of
from imbsynth.engine.reading import Labelled
from imbsynth.engine.sources.originals import Placed
from imbsynth.engine.sources.rendering import Batch, render
from imbsynth.engine.sources.sample_sheet import SampleSheet
from imbsynth.engine.sources.source import Origin, Source
from imbsynth.store.png_writers import Write
from imbsynth.store.records import MANIFEST, SAMPLES, line_writer


def write_synthetic(
    source: Source,
    images: Labelled,
    placed: Placed,
    added: dict[str, int],
    part: Path,
    write: Write,
    on_event: OnEvent,
) -> bool:
    """Write `added` images of each class, the manifest and the sheet; whether there is a sheet."""
    sheet = SampleSheet(images)
    on_event(Started("generating", sum(added.values())))
    done = 0
    with line_writer(part / MANIFEST) as write_line:
        if placed.reconstructed:
            for line in _reconstructed(images, placed, source.origin.space):
                write_line(line)
        for batch in render(source, [added[name] for name in images.classes]):
            name = images.classes[batch.label]
            write(batch.pixels, [part / file_of(name, row) for row in batch.plan.rows.tolist()])
            sheet.add(batch)
            for line in _lines(batch, source.origin, images, placed):
                write_line(line)
            done += len(batch.pixels)
            on_event(Advanced(done))
    return sheet.write(part / SAMPLES)


def _reconstructed(images: Labelled, placed: Placed, space: str | None) -> Iterator[dict[str, Any]]:
    """A line for each original: made of itself."""
    for i, path in enumerate(placed.paths):
        yield {
            "file": path,
            "class": images.classes[images.labels[i]],
            "method": RECONSTRUCT,
            "space": space,
            "parents": [path],
            "parent_digests": [images.digests[i]],
            "parent_pixels": [images.pixel_digests[i]],
            "weights": [1.0],
        }


def _lines(
    batch: Batch, origin: Origin, images: Labelled, placed: Placed
) -> Iterator[dict[str, Any]]:
    """A line for each image of a batch, with all that is needed to make it again.

    Offsets are not written down: they follow from the seed and the row.
    """
    name = images.classes[batch.label]
    common = {"class": name, **{k: v for k, v in origin._asdict().items() if v is not None}}
    rows, parents, weights = (column.tolist() for column in batch.plan[:3])
    for row, own, shares in zip(rows, parents, weights, strict=True):
        yield {
            "file": file_of(name, row),
            **common,
            "parents": [placed.paths[i] for i in own],
            "parent_digests": [images.digests[i] for i in own],
            "parent_pixels": [images.pixel_digests[i] for i in own],
            "weights": shares,
            "row": row,
        }
