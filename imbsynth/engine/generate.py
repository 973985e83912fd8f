"""`generate`: bring the classes of a folder up to one size with synthetic images.

One pipeline for every method: embed the images in a space (pixels, or an autoencoder's latents),
let a sampler draw a plan there, compute and decode it a batch at a time, write.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from imbsynth.configs import GenerateConfig
from imbsynth.core import samplers
from imbsynth.engine.events import Advanced, Note, OnEvent, Started, silent
from imbsynth.engine.inference.autoencoder import Coder, load_autoencoder
from imbsynth.engine.reading import Labelled, read_labelled, refuse_synthetic
from imbsynth.engine.sources.plans import (
    PREFIX,
    TRIPLES,
    Plan,
    Sheet,
    batched,
    draw,
    manifest_line,
    synthesise,
)
from imbsynth.engine.sources.spaces import Latents, Pixels, Space
from imbsynth.errors import UserError
from imbsynth.figures.sheets import write_sheet
from imbsynth.runtime import resolve_device, resolve_precision, worker_count
from imbsynth.store.folders import digest_of, listing, read_regular
from imbsynth.store.images import SMALLEST_PNG
from imbsynth.store.outputs import check_apart, check_room, new_folder
from imbsynth.store.png_writers import Write, png_writers
from imbsynth.store.records import (
    MANIFEST,
    SAMPLES,
    line_writer,
    provenance,
    read_counts,
    write_record,
)
from imbsynth.store.transfer import transfer


@dataclass(frozen=True)
class Report:
    """What `generate` prints."""

    added: dict[str, int]  # synthetic images a class
    counts: dict[str, int]  # images a class in the folder made
    images_per_second: float  # synthetic images over the whole command
    out: str
    samples: str | None  # the sheet to look at; None if nothing was added


def run(config: GenerateConfig, *, on_event: OnEvent = silent) -> Report:
    """Write a folder with the originals and the synthetic images that even out its classes."""
    start = time.perf_counter()
    for path in (config.src, config.ae, config.per_class):
        if path is not None:
            check_apart(path, config.dst)
    refuse_synthetic(config.src)
    device = resolve_device(config.device)
    with new_folder(config.dst, force=config.force) as part:
        coder = _coder(config, device)
        images = read_labelled(
            config.src,
            size=coder.model.shape[1:3] if coder else config.image_size,
            channels=coder.model.shape.channels if coder else None,
            skip_unreadable=config.skip_unreadable,
            on_event=on_event,
        )
        _check_names(config, images)
        sizes = {name: len(own) for name, own in zip(images.classes, images.members(), strict=True)}
        added = _missing(config, sizes)
        check_room(part, files=sum(added.values()), size=SMALLEST_PNG)
        _explain(config, sizes, added, images.resized, on_event)
        written = sum(added.values()) + config.reconstruct_originals * len(images.paths)
        with png_writers(written, images.pixels[0].nbytes, cores=worker_count()) as write:
            space = _space(config, device, coder, images, added, on_event)
            kept = _place_originals(config, images, coder, part, write, on_event)
            sheet = _synthesise(config, images, space, added, kept, part, write, on_event)
        record = provenance(
            "generate",
            config,
            inputs=_inputs(config, images),
            libraries=("numpy", "pillow", "torch"),
            resolved={"device": space.device.type, "precision": space.precision},
        )
        write_record(part, {**record, "added": added, "skipped": images.skipped})
    originals = 0 if config.synthetic_only else 1
    return Report(
        added=added,
        counts={name: originals * n + added[name] for name, n in sizes.items()},
        images_per_second=sum(added.values()) / (time.perf_counter() - start),
        out=config.dst.as_posix(),
        samples=(config.dst / SAMPLES).as_posix() if sheet else None,
    )


def _sampler(config: GenerateConfig) -> samplers.Sampler:
    if config.method == "ros":
        return samplers.ros
    return partial(samplers.smote, neighbors=config.k_neighbors)


def _space(
    config: GenerateConfig,
    device: torch.device,
    coder: Coder | None,
    images: Labelled,
    added: dict[str, int],
    on_event: OnEvent,
) -> Space:
    if coder is None:
        return Pixels(images, device, config.batch_size)
    return Latents(coder, images, added, on_event)


def _coder(config: GenerateConfig, device: torch.device) -> Coder | None:
    if config.ae is None:
        return None
    precision = resolve_precision(config.precision, device)
    return Coder(load_autoencoder(config.ae), device, precision, config.batch_size)


def _missing(config: GenerateConfig, sizes: dict[str, int]) -> dict[str, int]:
    """How many synthetic images each class gets; none is ever made smaller."""
    if config.per_class is None:
        targets = dict.fromkeys(sizes, config.to or max(sizes.values()))
    else:
        targets = read_counts(config.per_class)
        strange = sorted(targets.keys() - sizes)
        if strange:
            raise UserError(
                f"{config.per_class} names no class of {config.src}: {listing(strange)}",
                f"use its classes: {listing(list(sizes))}",
            )
    return {name: max(0, targets.get(name, 0) - n) for name, n in sizes.items()}


def _check_names(config: GenerateConfig, images: Labelled) -> None:
    taken = [path for path in images.paths if path.split("/")[-1].startswith(PREFIX)]
    if taken:
        raise UserError(
            f"{config.src}: file names that synthetic images have: {listing(taken)}",
            "rename them if they are real, or give the folder without them",
        )


def _explain(
    config: GenerateConfig,
    sizes: dict[str, int],
    added: dict[str, int],
    resized: int,
    on_event: OnEvent,
) -> None:
    """Say where a class is too small for what was asked."""
    if not any(added.values()):
        on_event(Note("every class is large enough already: nothing to add"))
    elif resized and not (config.synthetic_only or config.reconstruct_originals):
        on_event(
            Note(
                "the originals keep their size and the synthetic images do not have it: a "
                "classifier could tell them apart by it (resize first, or give "
                "--reconstruct-originals)"
            )
        )
    if config.method != "smote":
        return
    growing = {name: n for name, n in sizes.items() if added[name]}
    single = [name for name, n in growing.items() if n == 1]
    if single:
        on_event(Note(f"a single image has no neighbor and is copied: class {listing(single)}"))
    few = [f"{name} ({n - 1})" for name, n in growing.items() if 1 < n <= config.k_neighbors]
    if few:
        on_event(Note(f"fewer neighbors than {config.k_neighbors} in class {listing(few)}"))


def _place_originals(
    config: GenerateConfig,
    images: Labelled,
    coder: Coder | None,
    part: Path,
    write: Write,
    on_event: OnEvent,
) -> list[str]:
    """Put the originals, or their reconstructions, in place; returns where each one is."""
    for name in images.classes:
        (part / name).mkdir(parents=True, exist_ok=True)
    if config.synthetic_only:
        return images.paths
    if config.reconstruct_originals and coder is not None:
        return _reconstruct(images, coder, part, write, on_event)
    on_event(Started("copying originals", len(images.paths)))
    transfer(
        config.src,
        images.paths,
        part,
        config.link,
        final=config.dst,
        on_progress=lambda done: on_event(Advanced(done)),
    )
    return images.paths


def _reconstruct(
    images: Labelled, coder: Coder, part: Path, write: Write, on_event: OnEvent
) -> list[str]:
    kept = [path if path.endswith(".png") else f"{path}.png" for path in images.paths]
    if len(set(kept)) < len(kept):
        twice = sorted({path for path in kept if kept.count(path) > 1})
        raise UserError(f"two originals would be written to {listing(twice)}", "rename one of them")
    on_event(Started("reconstructing originals", len(kept)))
    done = 0
    for batch in coder.reconstruct(torch.from_numpy(images.pixels)):
        targets = [part / path for path in kept[done : done + len(batch)]]
        for folder in {target.parent for target in targets}:
            folder.mkdir(parents=True, exist_ok=True)
        write(batch.numpy(), targets)
        done += len(batch)
        on_event(Advanced(done))
    return kept


def _synthesise(
    config: GenerateConfig,
    images: Labelled,
    space: Space,
    added: dict[str, int],
    kept: list[str],
    part: Path,
    write: Write,
    on_event: OnEvent,
) -> bool:
    """Write the synthetic images, their manifest and their sheet; whether there are any."""
    sheet = Sheet(images)
    with line_writer(part / MANIFEST) as write_line:
        if config.reconstruct_originals:
            for path, label in zip(kept, images.labels.tolist(), strict=True):
                name = images.classes[label]
                write_line(manifest_line(path, name, "reconstruct", space.name, path, path, 0.0))

        def record(plan: Plan, pixels: NDArray[np.uint8]) -> None:
            sheet.add(plan, pixels)
            for row, lam in enumerate(plan.lam.tolist()):
                name, file = images.classes[plan.label[row]], plan.file(row, images.classes)
                ends = kept[plan.base[row]], kept[plan.neighbor[row]]
                write_line(manifest_line(file, name, config.method, space.name, *ends, lam))

        on_event(Started("generating", sum(added.values())))
        members = dict(zip(images.classes, images.members(), strict=True))
        sampler = _sampler(config)
        plans = draw(sampler, members, space, added, seed=config.seed, method=config.method)
        synthesise(
            batched(plans, config.batch_size),
            space,
            images.classes,
            part,
            write,
            on_batch=record,
            on_event=on_event,
        )
    rows = sheet.rows()
    if rows:
        write_sheet(part / SAMPLES, rows, ["base, neighbor, synthetic"] * TRIPLES)
    return bool(rows)


def _inputs(config: GenerateConfig, images: Labelled) -> dict[str, str]:
    inputs = {"src": images.digest}
    if config.ae is not None:
        inputs["ae"] = digest_of(read_regular(config.ae))
    return inputs
