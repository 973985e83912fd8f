"""Write what a source makes: the images, their manifest, and a sheet to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from imbsynth.configs import GenerateConfig
from imbsynth.engine.events import Advanced, Note, OnEvent, Started
from imbsynth.engine.manifest import RECONSTRUCT, file_of
from imbsynth.engine.reading import Listed
from imbsynth.engine.sources.originals import Placed
from imbsynth.engine.sources.rendering import Planned, Rendered
from imbsynth.engine.sources.sample_sheet import SampleSheet
from imbsynth.engine.sources.source import MethodRecord
from imbsynth.runtime import World
from imbsynth.store.copies import copy_or_link_file
from imbsynth.store.png_writers import Write
from imbsynth.store.records import (
    MANIFEST,
    MOVED,
    SAMPLES,
    append_files,
    line_writer,
    write_lines,
)

Some = TypeVar("Some", Planned, Rendered)
Put = Callable[[Some], list[str]]  # puts images in place, and says where in the folder


class Making(NamedTuple):
    """What there is to write."""

    method_record: MethodRecord
    images: Listed
    placed: Placed
    total: int  # synthetic images
    world: World  # the processes that make them


def write_synthetic(
    making: Making,
    batches: Iterable[Some],
    put: Put[Some],
    sheet: SampleSheet,
    part: Path,
    on_event: OnEvent,
) -> bool:
    """Put synthetic images in place, write manifest and sheet; whether there is a sheet.

    Of several processes, each writes its images and their lines; the writer joins the lines.
    """
    world = making.world
    done = 0
    on_event(Started("generating", making.total))
    manifests = _manifests(part, world)
    with line_writer(manifests[world.rank]) as write_line:
        if making.placed.reconstructed and world.is_writer:
            for line in _reconstructed(making):
                write_line(line)
        for batch in batches:
            files = put(batch)
            sheet.add(batch)
            for line in _lines(making, batch, files):
                write_line(line)
            done += len(files)
            on_event(Advanced(world.progress(done, making.total)))
    sheet.join(world)
    if world.is_writer:
        append_files(*manifests)
        return sheet.write(part / SAMPLES)
    return False


def _manifests(part: Path, world: World) -> list[Path]:
    """The files for the lines of each process, the first of which is the manifest."""
    return [part / MANIFEST, *(part / f"{MANIFEST}.{rank}" for rank in range(1, world.size))]


def write_moved(part: Path, moved: dict[int, float], paths: list[str], on_event: OnEvent) -> None:
    """List the images that a sampler made room with; no file unless there are some.

    moved: how far, in L1 in the space, by index. paths: of the images.
    """
    if not moved:
        return
    write_lines(part / MOVED, [{"file": paths[i], "distance": d} for i, d in moved.items()])
    on_event(
        Note(
            f"{len(moved)} of {len(paths)} images are in spheres of smaller classes: {MOVED} says "
            "how far they would be pushed; the files stay as they are"
        )
    )


def written(images: Listed, part: Path, write: Write) -> Put[Rendered]:
    """Writes images as PNG."""

    def put(batch: Rendered) -> list[str]:
        name = images.classes[batch.label]
        files = [file_of(name, row) for row in batch.plan.rows.tolist()]
        write(batch.pixels, [part / file for file in files])
        return files

    return put


def copied(config: GenerateConfig, images: Listed, part: Path) -> Put[Planned]:
    """Copies or links the file of the one parent: bytes and suffix are those of the original."""

    def put(batch: Planned) -> list[str]:
        files = []
        parents, rows = batch.plan.parents[:, 0].tolist(), batch.plan.rows.tolist()
        for parent, row in zip(parents, rows, strict=True):
            path = images.paths[parent]
            file = file_of(images.classes[batch.label], row, Path(path).suffix)
            copy_or_link_file(
                config.src / path,
                part / file,
                config.link,
                final=config.dst / file,
                digest=images.digests[parent],
            )
            files.append(file)
        return files

    return put


def _reconstructed(making: Making) -> Iterator[dict[str, Any]]:
    """A line for each original: made of itself."""
    images = making.images
    for i, path in enumerate(making.placed.paths):
        yield {
            "file": path,
            "class": images.classes[images.labels[i]],
            "method": RECONSTRUCT,
            "space": making.method_record.space,
            "parents": [path],
            "parent_digests": [images.digests[i]],
            "parent_pixels": [images.pixel_digests[i]],
            "weights": [1.0],
        }


def _lines(making: Making, batch: Planned | Rendered, files: list[str]) -> Iterator[dict[str, Any]]:
    """A line for each image of a batch, with all that is needed to make it again.

    Offsets are not written down: they follow from the seed and the row.
    """
    images = making.images
    recorded = {k: v for k, v in making.method_record._asdict().items() if v is not None}
    common = {"class": images.classes[batch.label], **recorded}
    rows, parents, weights = (column.tolist() for column in batch.plan[:3])
    for file, row, own, shares in zip(files, rows, parents, weights, strict=True):
        yield {
            "file": file,
            **common,
            "parents": [making.placed.paths[i] for i in own],
            "parent_digests": [images.digests[i] for i in own],
            "parent_pixels": [images.pixel_digests[i] for i in own],
            "weights": shares,
            "row": row,
        }
