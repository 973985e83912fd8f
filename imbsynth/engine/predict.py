"""`predict`: classes and probabilities of images without labels, whatever their number."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imbsynth.configs import PredictConfig
from imbsynth.engine.evaluation.extremes import Extremes
from imbsynth.engine.evaluation.streaming import (
    ClassifiedBatch,
    classified,
    given_images,
    reader_for,
)
from imbsynth.engine.events import Note, OnEvent, silent
from imbsynth.engine.inference.classifier import TrainedClassifier, load_classifier
from imbsynth.engine.inference.decisions import Decisions
from imbsynth.errors import UserError
from imbsynth.store.copies import FolderDigest, copy_or_link_file, unchanged
from imbsynth.store.folders import digest_of, read_regular
from imbsynth.store.names import listing
from imbsynth.store.outputs import check_apart, new_folder
from imbsynth.store.records import (
    LEAST_CERTAIN,
    LEFT_OUT,
    MOST_CERTAIN,
    PREDICTION_LINES,
    PREDICTIONS,
    left_out,
    line_writer,
    provenance,
    row_writer,
    write_record,
)


@dataclass(frozen=True)
class Report:
    """What `predict` prints."""

    images: int
    counts: dict[str, int]  # by predicted class
    skipped: list[str]  # unreadable files that were left out
    out: str
    sorted_into: str | None


def run(config: PredictConfig, *, on_event: OnEvent = silent) -> Report:
    """Classify images batch by batch, and put the results in place when all are done."""
    _check_targets(config)
    images = given_images(config.src)
    with ExitStack() as stack:
        part = stack.enter_context(new_folder(config.out, command="predict", force=config.force))
        into = None
        if config.sort_into is not None:
            into = stack.enter_context(
                new_folder(config.sort_into, command="predict", force=config.force)
            )
        stack.enter_context(unchanged(config.checkpoint))
        trained = load_classifier(config.checkpoint)
        decisions = Decisions(config, trained.counts, trained.fitted)
        outputs = _Outputs(config, trained, images.root, part, into)
        reader = reader_for(config, trained, images)
        with outputs.files():
            for batch in classified(config, trained, decisions, reader, on_event):
                outputs.add(batch)
        return outputs.finished(list(reader.unreadable), on_event)


def _check_targets(config: PredictConfig) -> None:
    for target in filter(None, (config.out, config.sort_into)):
        for path in (config.checkpoint, *config.src):
            check_apart(path, target)
    if config.sort_into is not None:
        check_apart(config.out, config.sort_into)


class _Outputs:
    """Takes batches as they come, and keeps of each only what the sheets may show."""

    def __init__(
        self,
        config: PredictConfig,
        trained: TrainedClassifier,
        root: Path,
        part: Path,
        into: Path | None,
    ) -> None:
        """root: of the images. part, into: the folders of the predictions and the sorted files."""
        self._config, self._root, self._part, self._into = config, root, part, into
        self._classes = trained.classes
        self._counts = np.zeros(len(self._classes), np.int64)
        self._digest = FolderDigest()
        self._least, self._most = Extremes(trained.counts), Extremes(trained.counts)

    @contextmanager
    def files(self) -> Iterator[None]:
        """Hold the files open to which every batch adds."""
        header = ["file", "class", *(f"p({name})" for name in self._classes), "margin"]
        with (
            row_writer(self._part / PREDICTIONS, header) as self._write_row,
            line_writer(self._part / PREDICTION_LINES) as self._write_line,
        ):
            yield

    def add(self, batch: ClassifiedBatch) -> None:
        """Write, sort and count a batch."""
        margins = batch.margins()
        self._counts += np.bincount(batch.predicted, minlength=len(self._counts))
        for i, path in enumerate(batch.paths):
            name, shares = self._classes[batch.predicted[i]], batch.probabilities[i]
            self._digest.add(path, batch.digests[i])
            self._write_row([path, name, *shares.astype(str), str(margins[i])])
            self._write_line(
                {
                    "file": path,
                    "class": name,
                    "probabilities": dict(zip(self._classes, shares.tolist(), strict=True)),
                    "margin": float(margins[i]),
                }
            )
            self._show(batch, i, float(margins[i]))
            self._sort(path, name, batch.digests[i])

    def _show(self, batch: ClassifiedBatch, i: int, margin: float) -> None:
        label, pixels = int(batch.predicted[i]), batch.pixels[i]
        share = float(batch.probabilities[i, label])
        ranked = np.argsort(-batch.probabilities[i], kind="stable")[:2]
        other = int(ranked[1] if ranked[0] == label else ranked[0])
        self._most.add(label, share, pixels, f"{share:.3f}")
        self._least.add(label, -margin, pixels, f"or {self._classes[other]}")

    def _sort(self, path: str, name: str, digest: str) -> None:
        if self._into is not None and self._config.sort_into is not None:
            final = self._config.sort_into / name / path
            target, link = self._into / name / path, self._config.link
            target.parent.mkdir(parents=True, exist_ok=True)
            copy_or_link_file(self._root / path, target, link, final=final, digest=digest)

    def finished(self, skipped: list[str], on_event: OnEvent) -> Report:
        """Draw the sheets, record how all was made, and say what was found."""
        config, images = self._config, int(self._counts.sum())
        if not images:
            raise UserError("none of the images can be read", "give images that can be read")
        if skipped:
            on_event(Note(f"left out {len(skipped)} unreadable: {listing(skipped)}"))
        self._least.write(
            self._part / LEAST_CERTAIN,
            "least certain, by predicted class; below: what else it may be",
        )
        self._most.write(
            self._part / MOST_CERTAIN, "most certain, by predicted class, with its probability"
        )
        inputs = {
            "checkpoint": digest_of(read_regular(config.checkpoint)),
            "src": self._digest.hexadecimal(),
        }
        libraries = ("numpy", "pillow", "torch")
        record = provenance("predict", config, inputs=inputs, libraries=libraries)
        if skipped:  # the digest of the whole folder would need those of all images at once
            record[LEFT_OUT] = {"src": left_out(skipped, "")}
        for folder in filter(None, (self._part, self._into)):
            write_record(folder, record)
        return Report(
            images=images,
            counts=dict(zip(self._classes, self._counts.tolist(), strict=True)),
            skipped=skipped,
            out=config.out.as_posix(),
            sorted_into=None if config.sort_into is None else config.sort_into.as_posix(),
        )
