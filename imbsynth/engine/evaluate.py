"""`evaluate`: what a classifier gets right on real images that it has not seen, class by class."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imbsynth.configs import EvaluateConfig
from imbsynth.core.pixels import as_rows
from imbsynth.engine.evaluation.saliency import check_network, check_package, write_saliency
from imbsynth.engine.evaluation.scores import Predictions, per_class, scores_of
from imbsynth.engine.evaluation.small_classes import few_to_judge_by
from imbsynth.engine.evaluation.writing import write_pictures, write_predictions
from imbsynth.engine.events import Advanced, Note, OnEvent, Started, silent
from imbsynth.engine.inference.classifier import (
    TrainedClassifier,
    check_finite,
    load_classifier,
    logits,
)
from imbsynth.engine.inference.decisions import Decisions
from imbsynth.engine.overlap import Overlap, counts_of, described, overlap_of, without
from imbsynth.engine.previews import Fits, Preview
from imbsynth.engine.reading import Labelled, check_classes, read_labelled, record_of_left_out
from imbsynth.errors import UserError, option
from imbsynth.runtime import resolve_device, resolve_precision
from imbsynth.store.copies import unchanged
from imbsynth.store.folders import digest_of, read_regular
from imbsynth.store.outputs import check_apart, new_folder
from imbsynth.store.records import METRICS, SALIENCY, provenance, write_json, write_record


@dataclass(frozen=True)
class Report:
    """What `evaluate` prints, and metrics.json."""

    images: int
    acsa: float
    gm: float
    g_mean: float
    f1_macro: float
    mcc: float
    kappa: float
    auroc_macro: float
    ece: float  # in [0, 1]; of the likeliest class, whatever the thresholds
    brier: float  # in [0, 2]
    intervals: dict[str, tuple[float, float]]  # 95 %, of each of the scores above
    per_class: dict[str, dict[str, float]]  # precision, recall, specificity, f1, support, trained
    confusion: list[list[int]]  # rows true, columns predicted, in class order
    tau: float  # what was subtracted: tau log prior; 0 is nothing
    temperature: float  # what logits were divided by before
    thresholds: dict[str, float]  # of the classes that have one
    checkpoint: str  # its name
    pretrained: str | None  # SHA-256 of the weights that the training started from, if any
    out: str | None
    overlap: dict[str, int] = field(default_factory=dict)  # reason: images that flatter the scores
    dropped: dict[str, int] = field(default_factory=dict)  # the same, of images that were left out


# For each class, which class each of its images was taken for, images in the order of their names.
Answers = list[list[int]]


def run(config: EvaluateConfig, *, on_event: OnEvent = silent) -> Report:
    """Classify a folder, score the result, and write it if a folder is given for that."""
    report, _ = run_with_answers(config, on_event=on_event)
    few = few_to_judge_by({name: int(found["support"]) for name, found in report.per_class.items()})
    if few:
        on_event(Note(f"{config.src} has {few}, and intervals from so few images are too narrow"))
    return report


def run_with_answers(
    config: EvaluateConfig, *, on_event: OnEvent = silent
) -> tuple[Report, Answers]:
    """`run`, and how each image was classified: what comparing classifiers image by image needs."""
    if config.saliency:
        check_package()
    if config.out is None:
        return _evaluate(config, None, on_event)
    for path in (config.checkpoint, config.src):
        check_apart(path, config.out)
    making = new_folder(config.out, command="evaluate", force=config.force)
    with making as part, unchanged(config.checkpoint):
        return _evaluate(config, part, on_event)


def _evaluate(
    config: EvaluateConfig, part: Path | None, on_event: OnEvent
) -> tuple[Report, Answers]:
    trained = load_classifier(config.checkpoint)
    if config.saliency:
        check_network(trained.model)
    decisions = Decisions(config, trained.counts, trained.fitted)
    images = _read(config, trained, on_event)
    images, overlap = _checked(config, trained, images, on_event)
    labels = np.array([trained.classes.index(name) for name in images.classes])[images.labels]
    found = _classify(config, trained, images, on_event)
    check_finite(config.checkpoint, found)
    tested = Predictions(
        labels, decisions.classes(found), decisions.probabilities(found), trained.counts
    )
    report = _report(config, tested, decisions, trained, counts_of(overlap))
    if part is not None:
        if config.saliency:
            write_saliency(part / SALIENCY, trained.model, tested, images.pixels)
        _write(config, part, images, tested, report)
    classes = range(len(trained.classes))
    return report, [tested.predicted[labels == k].tolist() for k in classes]


def _read(config: EvaluateConfig, trained: TrainedClassifier, on_event: OnEvent) -> Labelled:
    def check(preview: Preview) -> None:
        check_classes(config.src, list(preview.folder.files), trained.classes)

    return read_labelled(
        config.src,
        trained.form(config.skip_unreadable),
        on_event=on_event,
        fits=Fits(check),
    )


def _checked(
    config: EvaluateConfig, trained: TrainedClassifier, images: Labelled, on_event: OnEvent
) -> tuple[Labelled, Overlap]:
    """The images to score, and what of the folder flatters the scores.

    These are synthetic images, and those that the classifier depends on. Raises UserError if there
    are any, unless they are to be dropped or to be counted.
    """
    found = overlap_of(config.src, images, trained.seen.by_reason())
    if not found:
        return images, found
    problem = described(config.src, images, found)
    if config.drop_overlap:
        on_event(Note(f"{problem}: left out"))
        return without(config.src, images, found), found
    if not config.allow_overlap:
        raise UserError(
            problem,
            f"give a folder of real images that were not used, {option('drop_overlap')} to score "
            f"the others, or {option('allow_overlap')} to count them",
        )
    on_event(Note(f"{problem}: the scores do not tell how it does on new images"))
    return images, found


def _classify(
    config: EvaluateConfig, trained: TrainedClassifier, images: Labelled, on_event: OnEvent
) -> NDArray[np.float32]:
    device = resolve_device(config.device)
    on_event(Started("classifying", len(images.pixels)))
    return logits(
        trained.model.to(device),
        as_rows(images.pixels),
        device=device,
        precision=resolve_precision(config.precision, device),
        batch_size=config.batch_size,
        on_progress=lambda done: on_event(Advanced(done)),
    )


def _report(
    config: EvaluateConfig,
    tested: Predictions,
    decisions: Decisions,
    trained: TrainedClassifier,
    overlap: dict[str, int],
) -> Report:
    return Report(
        images=len(tested.labels),
        **scores_of(tested, config.draws, config.seed),
        per_class=per_class(tested),
        confusion=tested.confusion().astype(int).tolist(),
        tau=decisions.tau,
        temperature=decisions.temperature,
        thresholds=decisions.thresholds,
        checkpoint=config.checkpoint.name,
        pretrained=trained.pretrained,
        out=None if config.out is None else config.out.as_posix(),
        overlap={} if config.drop_overlap else overlap,
        dropped=overlap if config.drop_overlap else {},
    )


def _write(
    config: EvaluateConfig, part: Path, images: Labelled, tested: Predictions, report: Report
) -> None:
    scores: dict[str, Any] = asdict(report)
    del scores["out"]
    write_json(part / METRICS, scores)
    write_predictions(part, tested, images.paths)
    write_pictures(part, tested, images.pixels, scores)
    record = provenance(
        "evaluate",
        config,
        inputs={
            "checkpoint": digest_of(read_regular(config.checkpoint)),
            "src": images.digest,
        },
        libraries=("numpy", "pillow", "torch"),
    )
    write_record(part, {**record, **record_of_left_out({"src": images})})
