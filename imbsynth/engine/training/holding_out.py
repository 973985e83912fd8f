"""Which images train a classifier and which choose its epoch: never the same, never synthetic."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbsynth.core.profiles import shares
from imbsynth.engine.events import OnEvent
from imbsynth.engine.manifest import made_of, refuse_synthetic
from imbsynth.engine.reading import (
    Labelled,
    check_classes,
    read_labelled,
    scan_regular,
    shared_files,
)
from imbsynth.errors import UserError
from imbsynth.runtime import stream
from imbsynth.store.names import listing

Indices = NDArray[np.int64]


class Parts(NamedTuple):
    """The images of a folder, dealt out."""

    train: Indices
    val: Indices
    left_out: int  # images that show what is held out: copies, or synthetic ones made from it


def _same(files: int) -> str:
    """So many real images of a class that are one image, as a text."""
    if files <= 1:
        return "1 real image" if files else "no real image"
    return f"{files} real images, all of which are the same"


def hold_out(src: Path, images: Labelled, fraction: float, seed: int) -> Parts:
    """Hold out a fraction of each class's real images, equal files together.

    In a folder that `generate` made, synthetic images with a parent that is held out are left
    out of training: they would show it. Raises UserError for a class with too few real images.
    """
    sources = made_of(src)
    real = np.array([path not in sources for path in images.paths])
    held: set[str] = set()
    for name, members in zip(images.classes, images.members(), strict=True):
        distinct = sorted({images.digests[i] for i in members[real[members]]})
        if len(distinct) < 2:
            files = int(real[members].sum())
            raise UserError(
                f"{src}: class {listing([name])} has {_same(files)}: "
                "none can be held out for validation",
                "add images to it, or give other real images with --val DIR",
            )
        kept = shares(len(distinct), [1 - fraction, fraction])[0]
        order = stream(seed, "aos-train", "val", name).permutation(len(distinct))
        held |= {distinct[i] for i in order[kept:]}

    in_val = real & np.array([digest in held for digest in images.digests])
    held_paths = {images.paths[i] for i in np.flatnonzero(in_val)}
    shows = np.array(
        [p in sources and not held_paths.isdisjoint(sources[p].parents) for p in images.paths]
    )
    shows |= ~in_val & np.array([digest in held for digest in images.digests])
    return Parts(np.flatnonzero(~in_val & ~shows), np.flatnonzero(in_val), int(shows.sum()))


def check_validation(folder: Path, classes: list[str]) -> None:
    """Raise UserError unless the folder has real images of these classes, by its names alone."""
    refuse_synthetic(folder)
    check_classes(folder, list(scan_regular(folder).files), classes)


def read_validation(
    folder: Path, images: Labelled, *, skip_unreadable: bool, on_event: OnEvent
) -> Labelled:
    """A folder that `check_validation` accepts, none of whose images is trained on."""
    val = read_labelled(
        folder,
        size=(images.pixels.shape[2], images.pixels.shape[3]),
        channels=images.pixels.shape[1],
        skip_unreadable=skip_unreadable,
        on_event=on_event,
    )
    shared = shared_files(val, set(images.digests))
    if shared:
        raise UserError(
            f"{folder}: {len(shared)} of its images are also trained on: {listing(shared)}",
            "remove them from one of the folders; `imbsynth split` makes parts that share none",
        )
    return val
