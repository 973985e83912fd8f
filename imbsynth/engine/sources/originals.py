"""The originals in a generated folder: copied, linked, or as the autoencoder decodes them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from imbsynth.configs import GenerateConfig
from imbsynth.core.pixels import as_rows
from imbsynth.engine.events import Advanced, OnEvent, Started
from imbsynth.engine.inference.autoencoder import TrainedAutoencoder
from imbsynth.engine.reading import Labelled, Listed
from imbsynth.errors import UserError
from imbsynth.store.names import listing
from imbsynth.store.png_writers import Write
from imbsynth.store.transfer import transfer


class Placed(NamedTuple):
    """Where the originals are, relative to the folder; of absent ones, where they would be."""

    paths: list[str]  # in the order of the images read
    reconstructed: bool


def place_originals(
    config: GenerateConfig, images: Listed, part: Path, on_event: OnEvent
) -> Placed:
    """Put the originals in place, unless they are to be left out."""
    _make_folders(images, part)
    if not config.synthetic_only:
        on_event(Started("copying originals", len(images.paths)))
        transfer(
            config.src,
            images.paths,
            part,
            config.link,
            final=config.dst,
            expected=dict(zip(images.paths, images.digests, strict=True)),
            on_progress=lambda done: on_event(Advanced(done)),
        )
    return Placed(images.paths, reconstructed=False)


def reconstruct_originals(
    images: Labelled, autoencoder: TrainedAutoencoder, part: Path, write: Write, on_event: OnEvent
) -> Placed:
    """Put what the autoencoder makes of the originals in their place."""
    _make_folders(images, part)
    paths = [path if path.endswith(".png") else f"{path}.png" for path in images.paths]
    if len(set(paths)) < len(paths):
        twice = sorted({path for path in paths if paths.count(path) > 1})
        raise UserError(f"two originals would be written to {listing(twice)}", "rename one of them")
    on_event(Started("reconstructing originals", len(paths)))
    done = 0
    for batch in autoencoder.reconstruct(as_rows(images.pixels)):
        targets = [part / path for path in paths[done : done + len(batch)]]
        for folder in {target.parent for target in targets}:
            folder.mkdir(parents=True, exist_ok=True)
        write(batch.numpy(), targets)
        done += len(batch)
        on_event(Advanced(done))
    return Placed(paths, reconstructed=True)


def _make_folders(images: Listed, part: Path) -> None:
    for name in images.classes:
        (part / name).mkdir(parents=True, exist_ok=True)
