"""`evaluate`: what a classifier gets right on real images that it has not seen, class by class."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from imbsynth.configs import EvaluateConfig
from imbsynth.core import metrics
from imbsynth.core.auroc import auroc_macro, class_orders
from imbsynth.core.bootstrap import interval, resampled_auroc, resampled_confusions
from imbsynth.engine.events import Advanced, Note, OnEvent, Started, silent
from imbsynth.engine.inference.classifier import TrainedClassifier, load_classifier, probabilities
from imbsynth.engine.manifest import is_named_synthetic, made_of
from imbsynth.engine.reading import (
    Fits,
    Labelled,
    Preview,
    check_classes,
    read_labelled,
    shared_files,
)
from imbsynth.errors import UserError
from imbsynth.figures.confusion import write_confusion
from imbsynth.runtime import resolve_device, resolve_precision, stream
from imbsynth.store.folders import digest_of, read_regular
from imbsynth.store.names import listing
from imbsynth.store.outputs import check_apart, new_folder
from imbsynth.store.records import (
    CONFUSION,
    METRICS,
    PREDICTIONS,
    provenance,
    write_json,
    write_record,
    write_table,
)


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
    intervals: dict[str, tuple[float, float]]  # 95 %, of each of the scores above
    per_class: dict[str, dict[str, float]]  # precision, recall, specificity, f1, support, trained
    confusion: list[list[int]]  # rows true, columns predicted, in class order
    checkpoint: str  # its name
    out: str | None


# For each class, which class each of its images was taken for, images in the order of their names.
Answers = list[list[int]]


def run(config: EvaluateConfig, *, on_event: OnEvent = silent) -> Report:
    """Classify a folder, score the result, and write it if a folder is given for that."""
    return run_with_answers(config, on_event=on_event)[0]


def run_with_answers(
    config: EvaluateConfig, *, on_event: OnEvent = silent
) -> tuple[Report, Answers]:
    """`run`, and how each image was classified: what comparing classifiers image by image needs."""
    if config.out is None:
        return _evaluate(config, None, on_event)
    for path in (config.checkpoint, config.src):
        check_apart(path, config.out)
    with new_folder(config.out, force=config.force) as part:
        return _evaluate(config, part, on_event)


def _evaluate(
    config: EvaluateConfig, part: Path | None, on_event: OnEvent
) -> tuple[Report, Answers]:
    trained = load_classifier(config.checkpoint)
    images = _read(config, trained, on_event)
    _check_unseen(config, trained, images, on_event)
    labels = np.array([trained.classes.index(name) for name in images.classes])[images.labels]
    found = _classify(config, trained, images, on_event)
    report = _report(config, trained, labels, found)
    if part is not None:
        _write(config, part, trained, images, found, report)
    named = found.argmax(1)
    return report, [named[labels == k].tolist() for k in range(len(trained.classes))]


def _read(config: EvaluateConfig, trained: TrainedClassifier, on_event: OnEvent) -> Labelled:
    shape = trained.model.shape

    def check(preview: Preview) -> None:
        check_classes(config.src, list(preview.folder.files), trained.classes)

    return read_labelled(
        config.src,
        size=(shape.height, shape.width),
        channels=shape.channels,
        skip_unreadable=config.skip_unreadable,
        on_event=on_event,
        fits=Fits(check),
    )


def _check_unseen(
    config: EvaluateConfig, trained: TrainedClassifier, images: Labelled, on_event: OnEvent
) -> None:
    """Raise UserError for images that flatter the scores: synthetic ones, and those of training."""
    made = made_of(config.src)
    kinds = {
        "synthetic": [path for path in images.paths if path in made or is_named_synthetic(path)],
        "trained on": shared_files(images, trained.trained_on),
        "used for validation": shared_files(images, trained.validated_on),
    }
    found = [f"{len(paths)} {kind} ({listing(paths)})" for kind, paths in kinds.items() if paths]
    if not found:
        return
    problem = f"{config.src}: of its {len(images.paths)} images {'; '.join(found)}"
    if not config.allow_overlap:
        raise UserError(
            problem,
            "give a folder of real images that were not used, or --allow-overlap to count them",
        )
    on_event(Note(f"{problem}: the scores do not tell how it does on new images"))


def _classify(
    config: EvaluateConfig, trained: TrainedClassifier, images: Labelled, on_event: OnEvent
) -> NDArray[np.float32]:
    device = resolve_device(config.device)
    on_event(Started("classifying", len(images.pixels)))
    return probabilities(
        trained.model.to(device),
        torch.from_numpy(images.pixels),
        device=device,
        precision=resolve_precision(config.precision, device),
        batch_size=config.batch_size,
        on_progress=lambda done: on_event(Advanced(done)),
    )


def _report(
    config: EvaluateConfig,
    trained: TrainedClassifier,
    labels: NDArray[np.int64],
    found: NDArray[np.float32],
) -> Report:
    if not np.isfinite(found).all():
        raise UserError(
            f"{config.checkpoint}: its probabilities are not finite",
            "train it again with a lower --lr",
        )
    confusion = metrics.confusion_matrix(labels, found.argmax(1), len(trained.classes))
    ranked = class_orders(found, labels)
    once = np.ones((1, len(labels)), np.int32)
    scores = {name: float(score(confusion)) for name, score in metrics.SCORES.items()}
    drawn = resampled_confusions(
        confusion, config.draws, stream(config.seed, "evaluate", "confusion")
    )
    intervals = {name: interval(score(drawn)) for name, score in metrics.SCORES.items()}
    areas = resampled_auroc(ranked, config.draws, stream(config.seed, "evaluate", "auroc"))
    return Report(
        images=len(labels),
        **scores,
        auroc_macro=float(auroc_macro(ranked, once)[0]),
        intervals={**intervals, "auroc_macro": interval(areas)},
        per_class=_per_class(trained.counts, confusion),
        confusion=confusion.astype(int).tolist(),
        checkpoint=config.checkpoint.name,
        out=None if config.out is None else config.out.as_posix(),
    )


def _per_class(counts: dict[str, int], confusion: metrics.Counts) -> dict[str, dict[str, float]]:
    columns = {
        "precision": metrics.precisions(confusion).tolist(),
        "recall": metrics.recalls(confusion).tolist(),
        "specificity": metrics.specificities(confusion).tolist(),
        "f1": metrics.f1s(confusion).tolist(),
        "support": confusion.sum(1).astype(int).tolist(),
        "trained": list(counts.values()),
    }
    return {
        name: {column: values[k] for column, values in columns.items()}
        for k, name in enumerate(counts)
    }


def _write(
    config: EvaluateConfig,
    part: Path,
    trained: TrainedClassifier,
    images: Labelled,
    found: NDArray[np.float32],
    report: Report,
) -> None:
    scores: dict[str, Any] = asdict(report)
    del scores["out"]
    write_json(part / METRICS, scores)
    classes = trained.classes
    named = found.argmax(1)
    write_table(
        part / PREDICTIONS,
        ["file", "true", "predicted", *(f"p({name})" for name in classes)],
        (
            [path, images.classes[label], classes[k], *row]
            for path, label, k, row in zip(
                images.paths, images.labels, named, found.astype(str), strict=True
            )
        ),
    )
    write_confusion(part / CONFUSION, np.array(report.confusion, np.float64), classes)
    write_record(
        part,
        provenance(
            "evaluate",
            config,
            inputs={
                "checkpoint": digest_of(read_regular(config.checkpoint)),
                "src": images.digest,
            },
            libraries=("numpy", "pillow", "torch"),
        ),
    )
