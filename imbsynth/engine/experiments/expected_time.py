"""About how long the cross-validation of a folder takes: measured by trials cut short."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from imbsynth.engine.events import EpochDone, Event
from imbsynth.engine.experiments.folder_protocol import trial_on_folder
from imbsynth.engine.experiments.protocols import MethodOptions, Protocol
from imbsynth.engine.experiments.trials import carry_out
from imbsynth.engine.experiments.workspace import Workspace
from imbsynth.store.places import temporary_place

# Of each network. The first one also allocates; AOS draws its moved images in every second one.
EPOCHS = 3
IMAGES = 500  # that a classifier is shown in each

clock = time.perf_counter


class Cost(NamedTuple):
    """What one method takes in one fold, in seconds."""

    fixed: float  # reading, generating, testing, writing
    epoch: float  # an epoch, beside the images that it shows: validation
    image: float  # each image shown


class Speed(NamedTuple):
    """How fast this machine is on one folder."""

    costs: dict[str, Cost]  # by method
    ae_epoch: float  # seconds, of the autoencoder; 0 if no method has one
    share: float  # of the folder's images that were not in the measured fold's test part

    def seconds(self, protocol: Protocol) -> dict[str, float]:
        """Of a trial, by measured method; an autoencoder counts for the first that needs it."""
        more = _share(protocol) / self.share
        found, coded = {}, False
        for name in filter(self.costs.__contains__, protocol.methods):
            method, cost = protocol.methods[name], self.costs[name]
            epochs = method.train["epochs"]
            shown = epochs * method.train["images_per_epoch"]
            found[name] = cost.fixed + epochs * cost.epoch * more + shown * cost.image
            if method.ae is not None and not coded:
                found[name] += method.ae["epochs"] * self.ae_epoch * more
                coded = True
        return found


def _share(protocol: Protocol) -> float:
    return 1 - 1 / len(protocol.seeds)


def measured(workspace: Workspace, methods: Collection[str]) -> Speed:
    """Carry out a short trial of each of these methods, in a folder that is removed afterwards."""
    protocol = workspace.protocol
    short = {name: _short(protocol.methods[name]) for name in protocol.methods if name in methods}
    with tempfile.TemporaryDirectory(dir=temporary_place()) as out:
        place = replace(workspace, protocol=replace(protocol, methods=short), out=Path(out))
        _timed(place, next(iter(short)))  # loads libraries and makes the folds
        for checkpoint in Path(out).rglob("runs"):
            checkpoint.rename(checkpoint.with_name("first"))
        timed = {name: _timed(place, name) for name in short}
    coded = [listener.ae_epoch for listener in timed.values() if len(listener.encoded) > 1]
    return Speed(
        {name: _cost(listener, short[name]) for name, listener in timed.items()},
        coded[0] if coded else 0.0,
        _share(protocol),
    )


def _short(method: MethodOptions) -> MethodOptions:
    shown = min(IMAGES, method.train["images_per_epoch"])
    train = {**method.train, "epochs": EPOCHS, "images_per_epoch": shown}
    ae = None if method.ae is None else {**method.ae, "epochs": EPOCHS}
    return replace(method, train=train, ae=ae)


class _Listener:
    """Writes down when epochs end."""

    def __init__(self) -> None:
        self.begun, self.over = clock(), 0.0
        self.encoded: list[float] = []  # the ends of the autoencoder's epochs
        self.trained: list[float] = []  # the ends of the classifier's
        self.speeds: list[float] = []  # of the classifier, images per second

    def __call__(self, event: Event) -> None:
        if not isinstance(event, EpochDone):
            return
        if "recon_loss" in event.losses:
            self.encoded.append(clock())
        else:
            self.trained.append(clock())
            self.speeds.append(event.images_per_second)

    @property
    def ae_epoch(self) -> float:
        """Seconds of an epoch of the autoencoder, the first not counted; 0 without one."""
        return float(np.mean(np.diff(self.encoded))) if self.encoded else 0.0


def _timed(workspace: Workspace, method: str) -> _Listener:
    listener = _Listener()
    carry_out(workspace, trial_on_folder(method, 0), listener)
    listener.over = clock()
    return listener


def _cost(listener: _Listener, method: MethodOptions) -> Cost:
    epoch = float(np.mean(np.diff(listener.trained)))
    image = float(np.mean(1 / np.array(listener.speeds[1:])))
    trained = EPOCHS * (epoch + listener.ae_epoch)
    return Cost(
        fixed=max(0.0, listener.over - listener.begun - trained),
        epoch=max(0.0, epoch - image * method.train["images_per_epoch"]),
        image=image,
    )
