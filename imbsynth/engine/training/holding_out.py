"""Which images train a classifier and which choose its epoch: never the same, never synthetic."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbsynth.configs import AosTrainConfig
from imbsynth.configs.grouping import Grouped
from imbsynth.core.batches import Indices
from imbsynth.core.profiles import shares
from imbsynth.engine.events import Note, OnEvent, silent
from imbsynth.engine.grouping import groups_of, parts_of_groups, suggestion
from imbsynth.engine.inference.classifier import Seen
from imbsynth.engine.manifest import made_of, refuse_synthetic, synthetic_among
from imbsynth.engine.overlap import described, overlap_of
from imbsynth.engine.reading import (
    Labelled,
    check_classes,
    read_labelled,
    scan_regular,
)
from imbsynth.errors import UserError, option
from imbsynth.runtime import stream
from imbsynth.store.digests import Digests, DigestSet, Keys
from imbsynth.store.images import ImageForm
from imbsynth.store.names import listing


class TrainValSplit(NamedTuple):
    """The images of a folder, split."""

    train: Indices
    val: Indices
    left_out: int  # images that show what is held out: copies, or synthetic ones made from it


def _same(files: int) -> str:
    """How many real images a class has, all of them equal, in words."""
    if files <= 1:
        return "1 real image" if files else "no real image"
    return f"{files} real images, all of which are the same"


def hold_out(
    src: Path,
    images: Labelled,
    fraction: float,
    seed: int,
    *,
    grouping: Grouped | None = None,
    on_event: OnEvent = silent,
) -> TrainValSplit:
    """Hold out a fraction of each class's real images, those that show the same together.

    grouping: which others stay together too; None: none. In a folder that `generate` made,
    synthetic images with a parent that is held out are left out of training: they would show it.
    Raises UserError for a class with too few real images or groups.
    """
    made = made_of(src)
    synthetic = set(synthetic_among(images.paths, made))
    real = np.array([path not in synthetic for path in images.paths])
    shown = _shown(images)
    groups = None
    if grouping is not None:
        groups = _groups(grouping, src, images, np.flatnonzero(real), on_event)
    if groups is None:
        held = _held_images(src, images, shown, real, fraction=fraction, seed=seed)
    else:
        classes = [images.classes[label] for label in images.labels[real]]
        real_shown = list(Digests(shown[real].tobytes()))
        part = parts_of_groups(
            src,
            list(zip(classes, groups, real_shown, strict=True)),
            [1 - fraction, fraction],
            stream(seed, "aos-train", "val", "groups"),
            on_event,
        )
        held = DigestSet(shown[real][part == 1])

    shows = held.has(shown)
    in_val = real & shows
    held_paths = {images.paths[i] for i in np.flatnonzero(in_val)}
    identities = frozenset(images.identities(np.flatnonzero(in_val))) if made else frozenset()
    shows |= np.array(
        [path in made and made[path].shows(held_paths, identities) for path in images.paths]
    )
    _check_trainable(src, images, ~shows)
    return TrainValSplit(
        np.flatnonzero(~shows), np.flatnonzero(in_val), int((shows & ~in_val).sum())
    )


def _groups(
    grouping: Grouped, src: Path, images: Labelled, rows: Indices, on_event: OnEvent
) -> list[str] | None:
    """The groups of these images, None if none are asked for: then a word if they seem to be."""
    groups = groups_of(grouping, src, [images.paths[i] for i in rows])
    if groups is None:
        files: dict[str, list[str]] = {name: [] for name in images.classes}
        for i in rows:
            files[images.classes[images.labels[i]]].append(images.paths[i])
        if text := suggestion(files):
            on_event(Note(text))
    return groups


def _held_images(
    src: Path,
    images: Labelled,
    shown: Keys,
    real: NDArray[np.bool_],
    *,
    fraction: float,
    seed: int,
) -> DigestSet:
    """What is held out where every image may be alone, as `shown` has it."""
    held = []
    for name, members in zip(images.classes, images.members(), strict=True):
        distinct = np.unique(shown[members[real[members]]])
        if len(distinct) < 2:
            files = int(real[members].sum())
            raise UserError(
                f"{src}: class {listing([name])} has {_same(files)}: "
                "none can be held out for validation",
                "add images to it, or give other real images with --val DIR",
            )
        kept = shares(len(distinct), [1 - fraction, fraction])[0]
        order = stream(seed, "aos-train", "val", name).permutation(len(distinct))
        held.append(distinct[order[kept:]])
    return DigestSet(*held)


def _check_trainable(src: Path, images: Labelled, trains: NDArray[np.bool_]) -> None:
    """Raise UserError if a class has no training image left: its images are held out in another."""
    gone = [
        name
        for name, members in zip(images.classes, images.members(), strict=True)
        if not trains[members].any()
    ]
    if gone:
        raise UserError(
            f"{src}: all images of class {listing(gone)} are held out, since they are in another "
            "class too",
            "find them with `imbsynth inspect` and keep one of each, or give other real images "
            f"with {option('val')}",
        )


def _shown(images: Labelled) -> Keys:
    """(n,): of each image, the smallest digest of the files with its pixels: what it shows."""
    files = images.digests.keys
    smallest_first = np.argsort(files, kind="stable")
    pixels = images.pixel_digests.keys[smallest_first]
    _, first, which = np.unique(pixels, return_index=True, return_inverse=True)
    shown = np.empty_like(files)
    shown[smallest_first] = files[smallest_first[first[which]]]
    return shown


def check_validation(folder: Path, classes: list[str], *, allow_overlap: bool) -> None:
    """Raise UserError unless the folder has real images of these classes, by its names alone.

    With `allow_overlap`, synthetic ones too.
    """
    if not allow_overlap:
        refuse_synthetic(folder)
    check_classes(folder, list(scan_regular(folder).files), classes)


def read_validation(
    folder: Path,
    images: Labelled,
    seen: Seen,
    *,
    config: AosTrainConfig,
    on_event: OnEvent,
) -> Labelled:
    """A folder of images of the same classes, to choose the epoch with.

    seen: what the classifier depends on. Raises UserError for images among these and for synthetic
    ones, unless the config allows them.
    """
    val = read_labelled(
        folder,
        ImageForm(
            (images.pixels.shape[2], images.pixels.shape[3]),
            images.pixels.shape[1],
            config.fit,
            config.skip_unreadable,
        ),
        on_event=on_event,
    )
    found = overlap_of(folder, val, seen.by_reason())
    if found and not config.allow_overlap:
        raise UserError(
            described(folder, val, found),
            "remove them from one of the folders (`imbsynth split` makes parts that share none; "
            f"generate from the training part only), or {option('allow_overlap')} to use them",
        )
    if found:
        on_event(Note(f"{described(folder, val, found)}: validation scores flatter"))
    return val
