"""Which images a classifier depends on: those of its training, and what these are made of."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from imbsynth.configs import AosTrainConfig
from imbsynth.core.batches import Indices
from imbsynth.engine.events import Note, OnEvent
from imbsynth.engine.inference.autoencoder import images_of_autoencoder
from imbsynth.engine.inference.classifier import Seen
from imbsynth.engine.manifest import Made, encoded_for, refuse_unexplained
from imbsynth.engine.overlap import parents_of
from imbsynth.engine.reading import Labelled
from imbsynth.engine.training.sets import Members
from imbsynth.store.digests import DigestSet


def dependence(
    config: AosTrainConfig, images: Labelled, members: Members, made: Mapping[str, Made]
) -> Seen:
    """What a classifier depends on that is trained on these rows; nothing validates it yet.

    made: what `made_of` gives for the folder. Raises UserError for synthetic images without a
    manifest, whose parents cannot be known.
    """
    rows = np.concatenate(list(members.values()))
    refuse_unexplained(config.src, images.paths, made)
    encoded = encoded_for(config.src)
    if config.ae is not None:
        encoded = DigestSet(encoded.keys, images_of_autoencoder(config.ae).keys)
    return Seen(images.identities(rows), set(), parents_of(images, rows, made), encoded)


def tell_of_encoded(images: Labelled, held_out: Indices, seen: Seen, on_event: OnEvent) -> None:
    """Say how many of the images held out for validation a network of synthetic ones has seen."""
    known = int(images.known_to(seen.encoded)[held_out].sum())
    if known:
        on_event(
            Note(
                f"the autoencoder or generator has learned from {known} of the {len(held_out)} "
                "images held out for validation (train it on one part, and validate on another "
                "with --val)"
            )
        )
