"""Images without labels, classified batch by batch: only one batch is in memory at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbsynth.configs import PredictConfig
from imbsynth.core.pixels import stacked
from imbsynth.engine.events import Advanced, OnEvent, Started
from imbsynth.engine.inference.classifier import TrainedClassifier, check_finite, logits
from imbsynth.engine.inference.decisions import Decisions
from imbsynth.engine.source_folders import loose_images
from imbsynth.errors import UserError
from imbsynth.runtime import resolve_device, resolve_precision, worker_count
from imbsynth.store.image_reader import ImageReader, ImageRules
from imbsynth.store.names import listing


class GivenImages(NamedTuple):
    """Image files, none of them read yet."""

    root: Path
    paths: list[str]  # relative to root, sorted
    where: str  # for messages


class ClassifiedBatch(NamedTuple):
    """Some images, and what the classifier says of them."""

    paths: list[str]
    digests: list[str]  # SHA-256 of each file, hexadecimal
    pixels: NDArray[np.uint8]  # (n, c, h, w)
    predicted: NDArray[np.int64]  # (n,)
    probabilities: NDArray[np.float32]  # (n, c)

    def margins(self) -> NDArray[np.float32]:
        """(n,): the difference of the two highest probabilities."""
        highest = np.sort(self.probabilities, 1)[:, -2:]
        return highest[:, 1] - highest[:, 0]


def given_images(given: Sequence[Path]) -> GivenImages:
    """One folder, or files; UserError for anything else.

    Paths of files are relative to the innermost folder that has them all.
    """
    if len(given) == 1 and not given[0].is_file():
        return GivenImages(given[0], loose_images(given[0]), str(given[0]))
    missing = [str(path) for path in given if not path.is_file()]
    if missing:
        raise UserError(
            f"not files: {listing(missing)}", "give one folder, or image files that are there"
        )
    absolute = [os.path.abspath(path) for path in given]
    root = os.path.commonpath([os.path.dirname(path) for path in absolute])
    return GivenImages(
        Path(root), sorted({os.path.relpath(p, root) for p in absolute}), "the files"
    )


def reader_for(
    config: PredictConfig, trained: TrainedClassifier, images: GivenImages
) -> ImageReader:
    """Reads images as the classifier takes them."""
    form = trained.form(config.skip_unreadable)
    rules = ImageRules(
        size=form.size,
        gray=form.channels == 1,
        skip_unreadable=form.skip_unreadable,
        fit=form.fit,
    )
    return ImageReader(images.root, images.paths, rules, cores=worker_count(), where=images.where)


def classified(
    config: PredictConfig,
    trained: TrainedClassifier,
    decisions: Decisions,
    reader: ImageReader,
    on_event: OnEvent,
) -> Iterator[ClassifiedBatch]:
    """The images of a reader; UserError as the reader raises it, after the last batch."""
    device = resolve_device(config.device)
    precision = resolve_precision(config.precision, device)
    model = trained.model.to(device)
    on_event(Started("classifying", len(reader.paths)))
    with closing(reader.batches(config.batch_size)) as batches:
        for read in batches:
            if not read.pixels:
                continue
            pixels = stacked(read.pixels, trained.model.shape.channels)
            found = logits(
                model, pixels, device=device, precision=precision, batch_size=len(pixels)
            )
            check_finite(config.checkpoint, found)
            yield ClassifiedBatch(
                [reader.paths[i] for i in read.places],
                read.digests,
                pixels.numpy(),
                decisions.classes(found),
                decisions.probabilities(found),
            )
            on_event(Advanced(read.seen))
