"""`split`: stratified parts of a folder of images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imbsynth.configs import SplitConfig
from imbsynth.core.profiles import shares
from imbsynth.engine.events import Advanced, OnEvent, Started, silent
from imbsynth.engine.reading import scan_regular
from imbsynth.errors import UserError
from imbsynth.runtime import stream
from imbsynth.store.folders import ImageFolder, listing
from imbsynth.store.outputs import check_apart, new_folder
from imbsynth.store.records import provenance, write_record
from imbsynth.store.transfer import folder_digest, transfer

Parts = dict[str, dict[str, list[str]]]  # part -> class -> files


@dataclass(frozen=True)
class Report:
    """What `split` prints."""

    counts: dict[str, dict[str, int]]  # part: {class: images}
    out: str


def run(config: SplitConfig, *, on_event: OnEvent = silent) -> Report:
    """Deal the images of each class over the parts, each part with its share of every class."""
    check_apart(config.src, config.dst)
    with new_folder(config.dst, force=config.force) as part:
        folder = scan_regular(config.src)
        _check(folder, config.folds or len(config.parts()))
        parts = _folds(config, folder) if config.folds else _fractions(config, folder)
        total = sum(len(files) for classes in parts.values() for files in classes.values())
        on_event(Started("writing images", total))
        inputs, done = {}, 0
        for name, classes in parts.items():
            paths = [path for files in classes.values() for path in files]
            digests = transfer(
                config.src,
                paths,
                part / name,
                config.link,
                final=config.dst / name,
                on_progress=lambda n, before=done: on_event(Advanced(before + n)),  # type: ignore[misc]
            )
            done += len(paths)
            inputs[name] = folder_digest(paths, digests)
        record = provenance("split", config, inputs=inputs, libraries=("numpy",))
        write_record(part, {**record, "files": parts})
    counts = {
        name: {label: len(files) for label, files in classes.items()}
        for name, classes in parts.items()
    }
    return Report(counts=counts, out=config.dst.as_posix())


def _check(folder: ImageFolder, parts: int) -> None:
    small = [name for name, n in folder.counts.items() if n < parts]
    if small:
        raise UserError(
            f"{folder.root}: fewer than {parts} images in class {listing(small)}",
            "each part needs one: add images, or ask for fewer parts",
        )


def _fractions(config: SplitConfig, folder: ImageFolder) -> Parts:
    shared = config.parts()
    parts: Parts = {part: {} for part in shared}
    for name, files in folder.files.items():
        order = stream(config.seed, "split", name).permutation(len(files))
        sizes = shares(len(files), list(shared.values()))
        pieces = np.split(order, np.cumsum(sizes)[:-1])
        for part, piece in zip(shared, pieces, strict=True):
            parts[part][name] = _chosen(files, piece)
    return parts


def _folds(config: SplitConfig, folder: ImageFolder) -> Parts:
    """fold-I/train and fold-I/test; each image is in the test part of exactly one fold."""
    count = config.folds or 0
    parts: Parts = {
        f"fold-{i}/{role}": {} for i in range(1, count + 1) for role in ("train", "test")
    }
    turn = 0  # which fold gets a class's first image: in turn, so that folds are of one size
    for name, files in folder.files.items():
        order = stream(config.seed, "split", name).permutation(len(files))
        fold_of = (np.arange(len(files)) + turn) % count
        turn += len(files)
        for i in range(count):
            parts[f"fold-{i + 1}/train"][name] = _chosen(files, order[fold_of != i])
            parts[f"fold-{i + 1}/test"][name] = _chosen(files, order[fold_of == i])
    return parts


def _chosen(files: list[str], indices: np.ndarray) -> list[str]:
    return [files[i] for i in sorted(indices)]
