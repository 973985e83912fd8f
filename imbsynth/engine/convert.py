"""`convert`: the images of a folder in another size, number of channels or format."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from imbsynth.configs import ConvertConfig, size_text
from imbsynth.engine.events import Advanced, Note, OnEvent, Started, silent
from imbsynth.engine.manifest import refuse_synthetic
from imbsynth.engine.source_folders import loose_images
from imbsynth.errors import UserError, option
from imbsynth.runtime import worker_count
from imbsynth.store.copies import folder_digest, whole_digest
from imbsynth.store.digests import Digests
from imbsynth.store.image_reader import ImageReader, ImageRules
from imbsynth.store.image_writers import image_writers
from imbsynth.store.names import listing
from imbsynth.store.outputs import check_apart, new_folder
from imbsynth.store.records import LEFT_OUT, left_out, provenance, write_record
from imbsynth.store.shard_writing import check_shards, pack


@dataclass(frozen=True)
class Report:
    """What `convert` prints."""

    images: int  # written
    sizes: dict[str, int]  # "HxW" in pixels: images, as they are now
    resized: int  # images that had another size
    made_gray: int  # colour images
    made_rgb: int  # gray images
    composited: int  # images with transparency, which are on black now
    skipped: list[str]  # unreadable files that were left out
    out: str


def run(config: ConvertConfig, *, on_event: OnEvent = silent) -> Report:
    """Read every image by the rules of all commands, and write it under its name."""
    check_apart(config.src, config.dst)
    with new_folder(config.dst, command="convert", force=config.force) as part:
        paths = loose_images(config.src)
        refuse_synthetic(config.src, paths)
        _check_shards(config, paths)
        targets = _targets(config, paths)
        rules = ImageRules(
            size=config.image_size,
            gray=config.channels == 1,
            skip_unreadable=config.skip_unreadable,
            fit=config.fit,
        )
        reader = ImageReader(config.src, paths, rules, cores=worker_count())
        digests = _write(config, reader, part, targets, on_event)
        skipped = list(reader.unreadable)
        if not digests:
            raise UserError(f"{config.src}: no readable images", "give images that can be read")
        if skipped:
            on_event(Note(f"left out {len(skipped)} unreadable: {listing(skipped)}"))
        inputs = {"src": folder_digest(list(digests), list(digests.values()))}
        if config.shards is not None:
            pack(part, config.shards)
        record = provenance("convert", config, inputs=inputs, libraries=("numpy", "pillow"))
        if skipped:
            read = Digests(bytes.fromhex("".join(digests.values())))
            whole = whole_digest(config.src, list(digests), read, skipped)
            record[LEFT_OUT] = {"src": left_out(skipped, whole)}
        write_record(part, record)
    return _report(config, reader, len(digests))


def _check_shards(config: ConvertConfig, paths: Sequence[str]) -> None:
    """Raise UserError for shards of images of which nothing says the class, and for empty ones."""
    check_shards(config.shards, len(paths))
    without = [path for path in paths if "/" not in path]
    if config.shards is not None and without:
        raise UserError(
            f"{config.src}: in the folder of no class: {listing(without)}",
            f"put every image into the folder of its class, or leave {option('shards')} out",
        )


def _targets(config: ConvertConfig, paths: Sequence[str]) -> list[str]:
    """Where each image goes; UserError if two would go to one place."""
    targets = [str(PurePosixPath(path).with_suffix(f".{config.format}")) for path in paths]
    times = Counter(targets)
    twice = [path for path, to in zip(paths, targets, strict=True) if times[to] > 1]
    if twice:
        raise UserError(
            f"{config.src}: more than one file would get the same name: {listing(twice)}",
            f"rename them so that they differ in more than the suffix, which becomes "
            f".{config.format}",
        )
    return targets


def _write(
    config: ConvertConfig,
    reader: ImageReader,
    part: Path,
    targets: Sequence[str],
    on_event: OnEvent,
) -> dict[str, str]:
    """Put the images in place; the digests of the files that were read, by their paths."""
    digests: dict[str, str] = {}
    on_event(Started("converting images", len(targets)))
    with (
        image_writers(config.format, threads=worker_count()) as write,
        closing(reader.images(lambda done: on_event(Advanced(done)))) as images,
    ):
        for image in images:
            target = part / targets[image.place]
            os.makedirs(target.parent, exist_ok=True)
            write(_with_channels(image.picture.pixels, config.channels), target)
            digests[reader.paths[image.place]] = image.digest
    return digests


def _with_channels(pixels: NDArray[np.uint8], channels: int | None) -> NDArray[np.uint8]:
    """Gray as RGB where three channels are asked for; gray where one is, it has been read so."""
    if channels == 3 and pixels.ndim == 2:
        return np.repeat(pixels[..., None], 3, 2)
    return pixels


def _report(config: ConvertConfig, reader: ImageReader, images: int) -> Report:
    return Report(
        images=images,
        sizes={size_text(size): n for size, n in reader.sizes.most_common()},
        resized=reader.resized,
        made_gray=reader.in_colour if config.channels == 1 else 0,
        made_rgb=images - reader.in_colour if config.channels == 3 else 0,
        composited=reader.composited,
        skipped=list(reader.unreadable),
        out=config.dst.as_posix(),
    )
