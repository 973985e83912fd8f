"""A protocol: a grid of data sets, imbalances, methods and seeds."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from itertools import product
from typing import Any, NamedTuple

from imbsynth.engine.experiments.protocol_options import Options
from imbsynth.store.trials import TRIALS


@dataclass(frozen=True)
class MethodOptions:
    """How a classifier is trained, and what is made for it first."""

    train: Options = field(default_factory=dict)  # of aos-train
    ae: Options | None = None  # of train-ae; None: no autoencoder
    generator: Options | None = None  # of train-generator; None: no generator
    generate: Options | None = None  # of generate; None: trained on the originals
    per_imbalance: dict[str, Options] = field(default_factory=dict)  # instead of those in `train`

    def training(self, imbalance: str) -> Options:
        """The options of aos-train for an imbalance, given by its name."""
        return {**self.train, **self.per_imbalance.get(imbalance, {})}


class DataSet(NamedTuple):
    """The folders of a data set, relative to the root that the command is given."""

    train: str
    test: str | None  # None: a fold of `train` is the test set


class Trial(NamedTuple):
    """One training of the grid, with its evaluations."""

    data: str
    imbalance: str
    method: str
    seed: int  # in cross-validation the fold is seed modulo the number of folds

    @property
    def name(self) -> str:
        """A relative path of four parts."""
        return f"{self.data}/{self.imbalance}/{self.method}/{self.seed}"


@dataclass(frozen=True)
class Protocol:
    """What is compared with what, and on what."""

    about: str
    data: dict[str, DataSet]
    imbalances: dict[str, Options]  # of imbalance; without options the folder is taken as it is
    methods: dict[str, MethodOptions]
    seeds: list[int]
    tests: dict[str, Options]  # of imbalance, for the test set; without options it is as it is
    folds: int | None = None  # cross-validation of `train`
    val_fraction: float = 0.2
    stopping: bool = False  # whether a method that is surely behind is spared the other folds

    def record(self) -> dict[str, Any]:
        """As JSON values, with the names of the trials in an order that JSON keeps."""
        names = [trial.name for trial in self.trials()]
        return json.loads(json.dumps({**asdict(self), TRIALS: names}))

    def trials(self) -> list[Trial]:
        """Every trial; methods alternate, so that a grid that stops early is balanced."""
        grid = product(self.seeds, self.data, self.imbalances, self.methods)
        return [Trial(data, imbalance, method, seed) for seed, data, imbalance, method in grid]
