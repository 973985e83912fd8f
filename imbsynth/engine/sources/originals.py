"""The originals in a generated folder: copied, linked, or as the autoencoder decodes them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from imbsynth.configs import GenerateConfig
from imbsynth.core.pixels import as_rows, part_of
from imbsynth.engine.events import Advanced, OnEvent, Started
from imbsynth.engine.inference.autoencoder import TrainedAutoencoder
from imbsynth.engine.reading import Labelled, Listed
from imbsynth.errors import UserError
from imbsynth.runtime import World
from imbsynth.store.copies import copy_or_link
from imbsynth.store.names import listing
from imbsynth.store.png_writers import Write


class Placed(NamedTuple):
    """Where the originals are, relative to the folder; of absent ones, where they would be."""

    paths: list[str]  # in the order of the images read
    reconstructed: bool


def place_originals(
    config: GenerateConfig, images: Listed, part: Path, on_event: OnEvent, world: World
) -> Placed:
    """Put the originals in place, each process its share, unless they are to be left out."""
    _make_folders(images, part)
    if not config.synthetic_only:
        total = len(images.paths)
        on_event(Started("copying originals", total))
        copy_or_link(
            config.src,
            images.paths[world.share(total)],
            part,
            config.link,
            final=config.dst,
            expected=dict(zip(images.paths, images.digests, strict=True)),
            on_progress=lambda done: on_event(Advanced(world.progress(done, total))),
        )
    return Placed(images.paths, reconstructed=False)


def reconstruct_originals(
    images: Labelled,
    autoencoder: TrainedAutoencoder,
    part: Path,
    write: Write,
    on_event: OnEvent,
    world: World,
) -> Placed:
    """Put what the autoencoder makes of the originals in their place, each process its share."""
    _make_folders(images, part)
    paths = [path if path.endswith(".png") else f"{path}.png" for path in images.paths]
    if len(set(paths)) < len(paths):
        twice = sorted({path for path in paths if paths.count(path) > 1})
        raise UserError(f"two originals would be written to {listing(twice)}", "rename one of them")
    on_event(Started("reconstructing originals", len(paths)))
    mine, done = world.share(len(paths), autoencoder.images_at_once), 0
    for batch in autoencoder.reconstruct(part_of(as_rows(images.pixels), mine)):
        targets = [part / path for path in paths[mine][done : done + len(batch)]]
        for folder in {target.parent for target in targets}:
            folder.mkdir(parents=True, exist_ok=True)
        write(batch.numpy(), targets)
        done += len(batch)
        on_event(Advanced(world.progress(done, len(paths))))
    return Placed(paths, reconstructed=True)


def _make_folders(images: Listed, part: Path) -> None:
    for name in images.classes:
        (part / name).mkdir(parents=True, exist_ok=True)
