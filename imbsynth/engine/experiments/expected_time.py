"""About how long the cross-validation of a folder takes."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from imbsynth.configs import AosTrainConfig, TrainAeConfig
from imbsynth.engine import aos_train, train_ae
from imbsynth.engine.experiments.folder_protocol import PLAIN
from imbsynth.engine.experiments.workspace import Workspace
from imbsynth.store.folders import ImageFolder


def expected_seconds(workspace: Workspace, folder: ImageFolder) -> float:
    """About how long all trials take one after another, from a timed epoch of each network."""
    protocol = workspace.protocol
    classifier = protocol.methods[PLAIN].train
    ae = next(method.ae for method in protocol.methods.values() if method.ae is not None)
    place: dict[str, Any] = {"src": folder.root, "device": workspace.device}
    with tempfile.TemporaryDirectory() as out:
        coded = train_ae.run(  # first: it refuses more folders
            TrainAeConfig(out=Path(out, "a.safetensors"), **place, **{**ae, "epochs": 1})
        )
        timed = {**classifier, "epochs": 1, "images_per_epoch": 500}
        for name in ("warm-up", "timed"):  # the first run also loads libraries
            begun, target = time.perf_counter(), Path(out, f"{name}.safetensors")
            trained = aos_train.run(AosTrainConfig(out=target, **place, **timed))
        spent = time.perf_counter() - begun
        around = spent - trained.seconds_per_epoch  # reading, writing, drawing
    seen = classifier["epochs"] * classifier["images_per_epoch"]
    share = (len(protocol.seeds) - 1) / len(protocol.seeds) * (1 - protocol.val_fraction)
    encoded = ae["epochs"] * sum(folder.counts.values()) * share
    fold = len(protocol.methods) * (seen / trained.images_per_second + around)
    return (fold + encoded / coded.images_per_second) * len(protocol.seeds)
