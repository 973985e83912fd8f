"""`generate`: bring the classes of a folder up to one size with synthetic images.

One pipeline for every source of images: it draws a plan for each class, computes it a batch at a
time, and what comes out is written beside the originals.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from imbsynth.configs import GenerateConfig
from imbsynth.engine.auditing.filter import Filter
from imbsynth.engine.events import OnEvent, silent
from imbsynth.engine.inference.autoencoder import images_of_autoencoder
from imbsynth.engine.manifest import refuse_synthetic, write_encoded
from imbsynth.engine.processes import check_same_images, heard_by_writer, shared_folder
from imbsynth.engine.reading import Labelled, Listed, read_listed, record_of_left_out
from imbsynth.engine.sources.chosen import (
    ComputeSettings,
    compute_of,
    fits_of,
    images_for,
    source_of,
)
from imbsynth.engine.sources.interpolation import Interpolation
from imbsynth.engine.sources.originals import place_originals, reconstruct_originals
from imbsynth.engine.sources.rendering import Tally, planned, render, render_kept
from imbsynth.engine.sources.sample_sheet import SampleSheet
from imbsynth.engine.sources.spaces import Files
from imbsynth.engine.sources.targets import copies_files, explain, explain_short, missing
from imbsynth.engine.sources.writing import Making, copied, write_moved, write_synthetic, written
from imbsynth.errors import UserError, option
from imbsynth.figures.sheets import LARGEST
from imbsynth.runtime import World, check_alone, joined, resolve_device, worker_count
from imbsynth.store.copies import unchanged
from imbsynth.store.disk import check_room
from imbsynth.store.folders import digest_of, read_regular
from imbsynth.store.image_files import thumbnail
from imbsynth.store.images import SMALLEST_PNG
from imbsynth.store.outputs import check_apart
from imbsynth.store.png_writers import png_writers
from imbsynth.store.records import SAMPLES, provenance, write_record
from imbsynth.store.shard_writing import check_shards, pack


@dataclass(frozen=True)
class Report:
    """What `generate` prints."""

    added: dict[str, int]  # synthetic images per class
    dropped: dict[str, dict[str, int]]  # rows of the plan by class and reason, with a filter
    counts: dict[str, int]  # images per class in the folder made
    images_per_second: float  # synthetic images over the whole command
    out: str
    samples: str | None  # the sheet to look at; None if nothing was added


def run(config: GenerateConfig, *, on_event: OnEvent = silent) -> Report:
    """Write a folder with the originals and the synthetic images that even out its classes.

    Several processes may do it together: each makes its share of the images.
    """
    start = time.perf_counter()
    if config.min_probability is not None:  # which rows are kept depends on those before them
        check_alone("generate", f" with {option('min_probability')}")
    for path in (config.src, config.ae, config.generator, config.per_class):
        if path is not None:
            check_apart(path, config.dst)
    refuse_synthetic(config.src)
    with joined(resolve_device(config.device)) as world:
        with (
            heard_by_writer(on_event, world) as heard,
            shared_folder(config.dst, command="generate", force=config.force, world=world) as part,
            unchanged(config.ae, config.generator, config.per_class),
        ):
            made = _make(Job(config, part, world, heard))
        seconds = time.perf_counter() - start
        return world.told(lambda: _report(config, made, seconds))


class Job(NamedTuple):
    """What is asked for, where it is made, by which processes, and who listens."""

    config: GenerateConfig
    part: Path  # of the folder, until it is complete
    world: World
    on_event: OnEvent


class Contents(NamedTuple):
    """What there is in a folder."""

    sizes: dict[str, int]  # originals per class
    added: dict[str, int]
    dropped: dict[str, dict[str, int]]
    drawn: bool  # whether there is a sheet


def _make(job: Job) -> Contents:
    """All of the folder."""
    config, part, world, on_event = job
    compute = compute_of(config)
    images = _read(config, compute, on_event)
    check_same_images({"src": images.digest}, world)
    sizes = {name: len(own) for name, own in zip(images.classes, images.members(), strict=True)}
    added = missing(config, sizes)
    originals = 0 if config.synthetic_only else sum(sizes.values())
    check_shards(config.shards, originals + sum(added.values()))
    copied_files = originals if config.link == "copy" else 0
    check_room(part, "the images", files=sum(added.values()) + copied_files, size=SMALLEST_PNG)
    resized = images.resized if isinstance(images, Labelled) else 0
    explain(config, sizes, added, resized, on_event)
    tally = Tally(images.classes)
    if isinstance(images, Labelled):
        drawn = _fill(job, compute, images, added, tally)
    else:
        drawn = _copy(job, images, added)
    if config.min_probability is not None:
        explain_short(added, tally.added, on_event)
        added = tally.added
    if world.is_writer:
        found = {"added": added, "dropped": tally.dropped, "skipped": images.skipped}
        _complete(config, part, compute, {**_provenance(config, compute, images), **found})
    return Contents(sizes, added, tally.dropped, drawn)


def _complete(
    config: GenerateConfig, part: Path, compute: ComputeSettings, record: dict[str, Any]
) -> None:
    """Write what follows the images."""
    if config.ae is not None:
        write_encoded(part, images_of_autoencoder(config.ae))
    if compute.stored is not None:
        write_encoded(part, compute.stored.trained_on)
    if config.shards is not None:
        pack(part, config.shards)
    write_record(part, record)


def _report(config: GenerateConfig, made: Contents, seconds: float) -> Report:
    kept = {name: 0 if config.synthetic_only else n for name, n in made.sizes.items()}
    return Report(
        added=made.added,
        dropped=made.dropped,
        counts={name: n + made.added[name] for name, n in kept.items()},
        images_per_second=sum(made.added.values()) / seconds,
        out=config.dst.as_posix(),
        samples=(config.dst / SAMPLES).as_posix() if made.drawn else None,
    )


def _read(config: GenerateConfig, compute: ComputeSettings, on_event: OnEvent) -> Labelled | Listed:
    if copies_files(config):
        return read_listed(
            config.src,
            skip_unreadable=config.skip_unreadable,
            on_event=on_event,
            fits=fits_of(config),
        )
    images = images_for(config, compute, on_event)
    if images.made_gray and not (config.synthetic_only or config.reconstruct_originals):
        raise UserError(
            f"{config.src}: {images.made_gray} images have colour, and the checkpoint makes gray "
            "ones: a classifier could tell them apart by it",
            (
                f"pass the originals through an autoencoder too with "
                f"{option('reconstruct_originals')}, "
                if config.generator is None
                else ""
            )
            + f"leave them out with {option('synthetic_only')}, or train again with "
            f"{option('channels')} 3",
        )
    return images


def _fill(
    job: Job, compute: ComputeSettings, images: Labelled, added: dict[str, int], tally: Tally
) -> bool:
    """Write originals, synthetic images, manifest and sheet; whether there is a sheet."""
    config, part, world, on_event = job
    total = written_files = sum(added.values())
    reconstructing = compute.autoencoder if config.reconstruct_originals else None
    if reconstructing is not None:
        written_files += len(images.paths)
    own_files = -(-written_files // world.size)
    with png_writers(own_files, images.pixels[0].nbytes, cores=worker_count()) as write:
        source = source_of(config, compute, images, added, on_event, world)
        batches = render(source, list(added.values()), world=world)
        if config.min_probability is not None:
            check = Filter(config, images, compute.device, on_event).reasons
            batches = render_kept(source, list(added.values()), check, tally)
        if reconstructing is not None:
            placed = reconstruct_originals(images, reconstructing, part, write, on_event, world)
        else:
            placed = place_originals(config, images, part, on_event, world)
        drawn = write_synthetic(
            Making(source.method_record, images, placed, total, world),
            batches,
            written(images, part, write),
            SampleSheet(images.classes, images.pixels.__getitem__),
            part,
            on_event,
        )
    if isinstance(source, Interpolation):
        # Of the classes that a process draws, and those that these make way for.
        moved = dict(chain.from_iterable(own.items() for own in world.gathered(source.moved())))
        if world.is_writer:
            write_moved(part, dict(sorted(moved.items())), placed.paths, on_event)
    return drawn


def _copy(job: Job, images: Listed, added: dict[str, int]) -> bool:
    """The same, where synthetic images are copies: files are copied, and nothing is computed."""
    config, part, world, on_event = job
    space = Files(images.members())
    source = Interpolation(config.method, space, images.classes, options=config, seed=config.seed)
    placed = place_originals(config, images, part, on_event, world)
    return write_synthetic(
        Making(source.method_record, images, placed, sum(added.values()), world),
        planned(source, list(added.values()), world=world),
        copied(config, images, part),
        SampleSheet(images.classes, lambda i: thumbnail(config.src / images.paths[i], LARGEST)),
        part,
        on_event,
    )


def _provenance(config: GenerateConfig, compute: ComputeSettings, images: Listed) -> dict[str, Any]:
    inputs = {"src": images.digest}
    for name, path in (("ae", config.ae), ("generator", config.generator)):
        if path is not None:
            inputs[name] = digest_of(read_regular(path))
    record = provenance(
        "generate",
        config,
        inputs=inputs,
        libraries=("numpy", "pillow", *["torch"] * isinstance(images, Labelled)),
        resolved={
            "device": compute.device.type,
            "precision": compute.precision,
            **({} if config.generator is None else {"method": None}),  # no method is used
        },
    )
    return {**record, **record_of_left_out({"src": images})}
