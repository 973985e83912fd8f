"""Images that flatter a score: synthetic ones, and those that a network has learned from."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imbsynth.engine.manifest import Made, made_of, synthetic_among
from imbsynth.engine.reading import Labelled
from imbsynth.errors import UserError
from imbsynth.store.digests import DigestSet, as_set
from imbsynth.store.names import listing

TRAINED, VALIDATED = "trained on", "used for validation"
PARENTS = "a parent of synthetic images that were trained on"
ENCODED = "seen by the autoencoder or generator of synthetic images"

Overlap = dict[str, list[str]]  # reason -> paths; an image stands under its first reason only


def overlap_of(
    folder: Path, images: Labelled, learned_from: Mapping[str, AbstractSet[str]]
) -> Overlap:
    """The images of a folder that are synthetic, or among those that a network learned from.

    learned_from: reason -> digests, of files or of pixels. Reasons without images are left out.
    """
    synthetic = set(synthetic_among(images.paths, made_of(folder)))
    left = np.array([path not in synthetic for path in images.paths], bool)
    found = {"synthetic": [path for path in images.paths if path in synthetic]}
    for reason, identities in learned_from.items():
        shared = left & images.known_to(identities)
        found[reason] = [images.paths[i] for i in np.flatnonzero(shared)]
        left &= ~shared
    return {reason: paths for reason, paths in found.items() if paths}


def counts_of(overlap: Overlap) -> dict[str, int]:
    """How many images there are for each reason."""
    return {reason: len(paths) for reason, paths in overlap.items()}


def described(folder: Path, images: Labelled, overlap: Overlap) -> str:
    """An overlap in a sentence, for a message."""
    found = [f"{len(paths)} {reason} ({listing(paths)})" for reason, paths in overlap.items()]
    return f"{folder}: of its {len(images.paths)} images, {'; '.join(found)}"


def without(folder: Path, images: Labelled, overlap: Overlap) -> Labelled:
    """The images that do not overlap; UserError if a class has none."""
    rest = images.without({path for paths in overlap.values() for path in paths})
    sizes = np.bincount(rest.labels, minlength=len(images.classes))
    empty = [name for name, n in zip(images.classes, sizes, strict=True) if n == 0]
    if empty:
        raise UserError(
            f"{folder}: no image of class {listing(empty)} would be left to score",
            "add real images that the classifier does not depend on",
        )
    return rest


def parents_of(images: Labelled, rows: NDArray[np.int64], made: Mapping[str, Made]) -> DigestSet:
    """The digests of what the synthetic images among these rows are made of."""
    paths = (images.paths[row] for row in rows.tolist())
    synthetic = [made[path] for path in paths if path in made]
    named = {parent for how in synthetic if not how.parent_digests for parent in how.parents}
    by_path = images.identities(np.flatnonzero([path in named for path in images.paths]))
    by_digest = {digest for how in synthetic for digest in how.parent_digests}
    return DigestSet(by_path.keys, as_set(by_digest).keys)
