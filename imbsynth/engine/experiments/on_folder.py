"""Cross-validation of every method on one folder: its protocol, and about how long it takes."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from imbsynth.configs import AosTrainConfig, Budget, ExperimentConfig, TrainAeConfig
from imbsynth.engine import aos_train, train_ae
from imbsynth.engine.experiments.cells import Bench
from imbsynth.engine.experiments.protocols import Method, Options, Protocol, Source
from imbsynth.errors import UserError
from imbsynth.store.folders import ImageFolder, digest_of, read_regular
from imbsynth.store.names import listing

PLAIN, AUGMENTED = "plain", " + affine"
OVERSAMPLED = {PLAIN: "none", "ROS": "ros", "SMOTE": "smote", "AOS": "aos"}
LEAST_SEEN = 20_000  # images, times epochs, of an autoencoder, however small the folder
FEWEST = 3  # images of a class: to train on, to choose the epoch, and to test on
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


def protocol_for(folder: ImageFolder, config: ExperimentConfig) -> Protocol:
    """Five methods, each without and with augmentation, all with one training budget.

    Raises UserError if there is too little to cross-validate.
    """
    effort, counts = EFFORTS[config.budget], folder.counts
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
    folds = _folds(folder, effort.folds)
    return Protocol(
        about=f"Which method helps on {folder.root.absolute().name}? Budget: {config.budget}.",
        sources={"folder": Source(".", None)},
        imbalances={"as is": {}},
        methods=methods,
        seeds=list(range(folds)),
        tests={"test": {}},
        folds=folds,
    )


def _folds(folder: ImageFolder, wanted: int) -> int:
    """So many, or fewer where a class has fewer images; equal files count once."""
    found = {name: _different(folder, name, wanted) for name in folder.files}
    rarest = min(found, key=found.__getitem__)
    if len(found) < 2 or found[rarest] < FEWEST:
        few = f"class {listing([rarest])}: different images: {found[rarest]}"
        raise UserError(
            f"{folder.root}: {few if len(found) > 1 else 'one class'}",
            "cross-validation needs two classes, and three images of each that differ: to train "
            "on, to choose the epoch, and to test on",
        )
    return min(wanted, found[rarest])


def _different(folder: ImageFolder, name: str, enough: int) -> int:
    """How many files of a class differ in their bytes; no more are read than are enough."""
    seen: set[str] = set()
    for path in folder.files[name]:
        seen.add(digest_of(read_regular(folder.root / path)))
        if len(seen) == enough:
            break
    return len(seen)


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
        two = train_ae.run(  # first: it has more to refuse
            TrainAeConfig(out=Path(out, "a.safetensors"), **place, **{**ae, "epochs": 1})
        )
        timed = {**classifier, "epochs": 1, "images_per_epoch": 500}
        for name in ("warm-up", "timed"):  # the first run also loads libraries
            begun, target = time.perf_counter(), Path(out, f"{name}.safetensors")
            one = aos_train.run(AosTrainConfig(out=target, **place, **timed))
        around = time.perf_counter() - begun - one.seconds_per_epoch  # reading, writing, drawing
    seen = classifier["epochs"] * classifier["images_per_epoch"]
    share = (len(protocol.seeds) - 1) / len(protocol.seeds) * (1 - protocol.val_fraction)
    encoded = ae["epochs"] * sum(folder.counts.values()) * share
    fold = len(protocol.methods) * (seen / one.images_per_second + around)
    return (fold + encoded / two.images_per_second) * len(protocol.seeds)
