"""Does it help on this folder? Cross-validation of every method, without and with augmentation."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbsynth.configs import (
    AosTrainConfig,
    Budget,
    EvaluateConfig,
    ExperimentConfig,
    TrainAeConfig,
)
from imbsynth.core import metrics
from imbsynth.core.bootstrap import interval_around, plausible_recalls
from imbsynth.core.profiles import by_size
from imbsynth.core.significance import better_in_folds
from imbsynth.engine import aos_train, train_ae
from imbsynth.engine.studies.cells import Bench
from imbsynth.engine.studies.protocols import Cell, Method, Options, Protocol, Source
from imbsynth.errors import UserError
from imbsynth.runtime import stream
from imbsynth.store.folders import ImageFolder, listing
from imbsynth.store.records import read_json

PLAIN, AUGMENTED = "plain", " + affine"
OVERSAMPLED = {PLAIN: "none", "ROS": "ros", "SMOTE": "smote", "AOS": "aos"}
SURE = 0.95  # the chance from which on a difference is called one
ROPE = 0.01  # of ACSA: a smaller difference does not matter
LEAST_SEEN = 20_000  # images, times epochs, of an autoencoder, however small the folder
FEW = 10  # images of a class, below which little can be said of it


class Effort(NamedTuple):
    """What a budget means."""

    folds: int
    epochs: int
    most_images: int  # an epoch
    ae_epochs: int


EFFORTS: dict[Budget, Effort] = {
    "small": Effort(3, 10, 5_000, 30),
    "medium": Effort(5, 20, 20_000, 100),
    "large": Effort(5, 50, 50_000, 200),
}


@dataclass(frozen=True)
class Verdict:
    """How one method did over all folds."""

    method: str
    acsa: float  # of all images, each tested once
    interval: tuple[float, float]  # 95 %, over the images
    g_mean: float
    f1_macro: float
    recalls: dict[str, float]  # the rarest class first
    recall_intervals: dict[str, tuple[float, float]]  # 95 %, likewise
    better: float | None  # the chance that it beats what `base_of` says
    worse: float | None
    words: str


def protocol_for(folder: ImageFolder, config: ExperimentConfig) -> Protocol:
    """Five methods, each without and with augmentation, all with one training budget."""
    effort, counts = EFFORTS[config.budget], folder.counts
    rarest = by_size(counts)[-1]
    if len(counts) < 2 or counts[rarest] < 3:
        raise UserError(
            f"{folder.root}: "
            + (
                f"class {listing([rarest])} has {counts[rarest]} images"
                if len(counts) > 1
                else "one class"
            ),
            "cross-validation needs two classes, and three images of each: to train on, to choose "
            "the epoch, and to test on",
        )
    folds = min(effort.folds, counts[rarest])
    balanced = len(counts) * max(counts.values())
    train: Options = {
        "epochs": effort.epochs,
        "images_per_epoch": max(500, min(balanced, effort.most_images)),
        "image_size": config.image_size,
    }
    ae_epochs = max(effort.ae_epochs, LEAST_SEEN // sum(counts.values()))
    ae: Options = {"epochs": ae_epochs, "image_size": config.image_size}
    methods = {}
    for suffix, augment in (("", "none"), (AUGMENTED, "affine")):
        for name, oversample in OVERSAMPLED.items():
            options = {**train, "augment": augment, "oversample": oversample}
            methods[name + suffix] = Method(options)
        options = {**train, "augment": augment, "oversample": "none"}
        methods["DeepSMOTE" + suffix] = Method(options, ae=ae, generate={})
    return Protocol(
        about=f"Which method helps on {folder.root.absolute().name}? Budget: {config.budget}.",
        sources={"folder": Source(".", None)},
        imbalances={"as is": {}},
        methods=methods,
        seeds=list(range(folds)),
        tests={"test": {}},
        folds=folds,
    )


def warnings_for(folder: ImageFolder) -> list[str]:
    """What somebody should know who reads the verdict."""
    few = [f"{name} ({n})" for name, n in folder.counts.items() if n < FEW]
    if not few:
        return []
    return [f"fewer than {FEW} images in class {listing(few)}: one more found changes its recall"]


def expected_seconds(bench: Bench, folder: ImageFolder) -> float:
    """About how long all cells take, from a timed epoch of each network."""
    protocol = bench.protocol
    classifier = protocol.methods[PLAIN].train
    ae = next(method.ae for method in protocol.methods.values() if method.ae is not None)
    place: dict[str, Any] = {"src": folder.root, "device": bench.device}
    with tempfile.TemporaryDirectory() as out:
        timed = {**classifier, "epochs": 1, "images_per_epoch": 500}
        for name in ("warm-up", "timed"):  # the first run also loads libraries
            begun, target = time.perf_counter(), Path(out, f"{name}.safetensors")
            one = aos_train.run(AosTrainConfig(out=target, **place, **timed))
        around = time.perf_counter() - begun - one.seconds_per_epoch  # reading, writing, drawing
        two = train_ae.run(
            TrainAeConfig(out=Path(out, "a.safetensors"), **place, **{**ae, "epochs": 1})
        )
    seen = classifier["epochs"] * classifier["images_per_epoch"]
    share = (len(protocol.seeds) - 1) / len(protocol.seeds) * (1 - protocol.val_fraction)
    encoded = ae["epochs"] * sum(folder.counts.values()) * share
    fold = len(protocol.methods) * (seen / one.images_per_second + around)
    return (fold + encoded / two.images_per_second) * len(protocol.seeds)


def base_of(method: str) -> str | None:
    """What a method is held against: plain training with the same augmentation, or without any."""
    base = PLAIN + AUGMENTED if method.endswith(AUGMENTED) else PLAIN
    if method == PLAIN:
        return None
    return PLAIN if method == base else base


def verdicts(bench: Bench, counts: dict[str, int]) -> list[Verdict]:
    """Every method's scores over all folds, and whether it helped."""
    confusions = {
        method: [
            np.array(_scores(bench, Cell("folder", "as is", method, fold))["confusion"], np.float64)
            for fold in bench.protocol.seeds
        ]
        for method in bench.protocol.methods
    }
    names = sorted(counts)
    order = [names.index(name) for name in reversed(by_size(counts))]
    return [_verdict(method, confusions, names, order) for method in confusions]


def _scores(bench: Bench, cell: Cell) -> dict[str, Any]:
    return read_json(bench.result(cell))["tests"]["test"]


def _in_words(better: float, alike: float, worse: float) -> str:
    """What the three chances amount to."""
    found = {"helps": better, "no difference": alike, "hurts": worse}
    return next((words for words, chance in found.items() if chance >= SURE), "not clear")


def _verdict(
    method: str,
    confusions: dict[str, list[NDArray[np.float64]]],
    names: list[str],
    order: list[int],
) -> Verdict:
    pooled = np.sum(confusions[method], axis=0)
    drawn = plausible_recalls(pooled, EvaluateConfig.draws, stream(0, "verdict", method))
    acsa, recalls = float(metrics.acsa(pooled)), metrics.recalls(pooled).tolist()
    base = base_of(method)
    better = worse = None
    words = ""
    if base is not None:
        mine, other = (
            np.array([float(metrics.acsa(fold)) for fold in confusions[name]])
            for name in (method, base)
        )
        better, alike, worse = better_in_folds(mine, other, ROPE)
        words = _in_words(better, alike, worse)
    return Verdict(
        method=method,
        acsa=acsa,
        interval=interval_around(acsa, drawn.mean(1)),
        g_mean=float(metrics.g_mean(pooled)),
        f1_macro=float(metrics.f1_macro(pooled)),
        recalls={names[k]: recalls[k] for k in order},
        recall_intervals={names[k]: interval_around(recalls[k], drawn[:, k]) for k in order},
        better=better,
        worse=worse,
        words=words,
    )
