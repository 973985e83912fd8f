"""A protocol: a grid of data sets, imbalances, methods and seeds, out of one YAML file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from imbsynth.configs import AosTrainConfig, GenerateConfig, ImbalanceConfig, TrainAeConfig
from imbsynth.errors import UserError
from imbsynth.options import parsed, recorded
from imbsynth.store.folders import listing, read_regular
from imbsynth.store.plain_yaml import read_values

Options = dict[str, Any]  # of a command, by the name of the field in its config

# Of a data set, a method, ...: a file name, and no way out of a folder.
NAME = re.compile(r"(?!\.+$)[\w.+=,%-][\w.+=,% -]{0,63}")
# Of a command, what a run fills in itself, and the one option that is a path to a file.
_NOT_GIVEN = {"src", "dst", "out", "val", "ae", "seed", "device", "force", "resume", "counts_file"}
# For the paths among these, while options are checked.
_STAND_INS: dict[type, dict[str, Path]] = {
    ImbalanceConfig: {"src": Path("in"), "dst": Path("out")},
    GenerateConfig: {"src": Path("in"), "dst": Path("out")},
    TrainAeConfig: {"src": Path("in"), "out": Path("out.safetensors")},
    AosTrainConfig: {"src": Path("in"), "out": Path("out.safetensors")},
}


@dataclass(frozen=True)
class Method:
    """How a classifier is trained, and what is made for it first."""

    train: Options = field(default_factory=dict)  # of aos-train
    ae: Options | None = None  # of train-ae; None: no autoencoder
    generate: Options | None = None  # of generate; None: the originals are trained on
    per_imbalance: dict[str, Options] = field(default_factory=dict)  # instead of those in `train`

    def training(self, imbalance: str) -> Options:
        """The options of aos-train for an imbalance, by its name."""
        return {**self.train, **self.per_imbalance.get(imbalance, {})}


class Source(NamedTuple):
    """A data set: its folders, relative to the root that the command is given."""

    train: str
    test: str | None  # None: a fold of `train` is the test set


class Cell(NamedTuple):
    """One training run with its evaluations."""

    data: str
    imbalance: str
    method: str
    seed: int  # in cross-validation the fold is seed modulo the number of folds

    @property
    def name(self) -> str:
        """A path of four parts."""
        return f"{self.data}/{self.imbalance}/{self.method}/{self.seed}"


@dataclass(frozen=True)
class Protocol:
    """What is compared with what, and on what."""

    about: str
    sources: dict[str, Source]
    imbalances: dict[str, Options]  # of imbalance; without options the folder is taken as it is
    methods: dict[str, Method]
    seeds: list[int]
    tests: dict[str, Options]  # of imbalance, for the test set; without options it is as it is
    folds: int | None = None  # cross-validation of `train`
    val_fraction: float = 0.2

    def record(self) -> dict[str, Any]:
        """As JSON values, with the cells in an order that JSON keeps."""
        cells = [cell.name for cell in self.cells()]
        return json.loads(json.dumps({**asdict(self), "cells": cells}))

    def cells(self) -> Iterator[Cell]:
        """Every cell, methods side by side, so that a grid that stops early is balanced."""
        for seed in self.seeds:
            for data in self.sources:
                for imbalance in self.imbalances:
                    for method in self.methods:
                        yield Cell(data, imbalance, method, seed)


def read_protocol(path: Path) -> Protocol:
    """The protocol of a YAML file; UserError names what is wrong with it."""
    try:
        return parse_protocol(read_values(read_regular(path).decode("utf-8")))
    except ValueError as error:
        reason = " ".join(str(error).split())
    except UserError as error:
        reason = f"{error.problem}: {error.fix}"
    raise UserError(f"{path}: {reason}", "see the protocols under experiments/ for the form")


def parse_protocol(found: Mapping[str, Any]) -> Protocol:
    """The protocol of a parsed file; ValueError or UserError for what does not fit."""
    known = {"about", "data", "imbalance", "methods", "seeds", "tests", "folds", "val-fraction"}
    known |= {"train", "train-ae", "generate"}
    strange = sorted(map(str, found.keys() - known))
    if strange:
        raise ValueError(f"unknown key {listing(strange)}: known are {', '.join(sorted(known))}")
    folds = found.get("folds")
    if folds is not None and (type(folds) is not int or folds < 2):
        raise ValueError(f"folds is {folds!r}: give 2 or more")
    common = {
        "train": _options(AosTrainConfig, found.get("train", {}), "train"),
        "ae": _options(TrainAeConfig, found.get("train-ae", {}), "train-ae"),
        "generate": _options(GenerateConfig, found.get("generate", {}), "generate"),
    }
    imbalances = _imbalances(_named(found, "imbalance", {"as is": {}}), "imbalance")
    return Protocol(
        about=str(found.get("about", "")),
        sources=_sources(_named(found, "data"), folds),
        imbalances=imbalances,
        methods={
            name: _method(name, options, common, list(imbalances))
            for name, options in _named(found, "methods").items()
        },
        seeds=_seeds(found.get("seeds", list(range(folds or 3)))),
        tests=_imbalances(_named(found, "tests", {"test": {}}), "tests"),
        folds=folds,
        val_fraction=_fraction(found.get("val-fraction", 0.2)),
    )


def _named(
    found: Mapping[str, Any], key: str, default: dict[str, Any] | None = None
) -> dict[str, Any]:
    values = found.get(key, default)
    if not isinstance(values, dict) or not values:
        raise ValueError(f"{key} is no list of names with options")
    for name in values:
        if not isinstance(name, str | int) or isinstance(name, bool):
            raise ValueError(f"{key}: YAML reads a name as {name!r}: put it in quotes")
        if not NAME.fullmatch(str(name)):
            raise ValueError(f"{key}: {str(name)!r} cannot be part of a file name")
    names = [str(name) for name in values]
    if len({name.casefold() for name in names}) < len(names):
        raise ValueError(f"{key}: {listing(names)} must differ in more than their case")
    return {str(name): options or {} for name, options in values.items()}


def _sources(values: dict[str, Any], folds: int | None) -> dict[str, Source]:
    sources = {}
    for name, folders in values.items():
        if not isinstance(folders, dict) or not folders.keys() <= {"train", "test"}:
            raise ValueError(f"data: {name} is not train and test, two folders")
        if "train" not in folders or (folds is None) != ("test" in folders):
            raise ValueError(
                f"data: {name} needs train"
                + (" and test" if folds is None else " alone: a fold is the test set")
            )
        test = folders.get("test")
        sources[name] = Source(str(folders["train"]), None if test is None else str(test))
    return sources


def _imbalances(values: dict[str, Any], key: str) -> dict[str, Options]:
    return {
        name: _options(ImbalanceConfig, options, f"{key} {name}")
        for name, options in values.items()
    }


def _method(name: str, values: Any, common: Mapping[str, Options], imbalances: list[str]) -> Method:
    known = ("train", "train-ae", "generate", "per-imbalance")
    if not isinstance(values, dict) or not values.keys() <= set(known):
        raise ValueError(f"methods: {name} has other keys than {', '.join(known)}")
    where = f"methods {name}"
    train = _options(AosTrainConfig, values.get("train") or {}, f"{where} train")
    ae = generate = None
    paths: dict[str, Path] = {}
    if "train-ae" in values:
        ae = {
            **common["ae"],
            **_options(TrainAeConfig, values["train-ae"] or {}, f"{where} train-ae"),
        }
        paths["ae"] = Path("ae.safetensors")
    if ae is not None or "generate" in values:
        own = _options(GenerateConfig, values.get("generate") or {}, f"{where} generate", **paths)
        generate = {**common["generate"], **own}
    train = {**common["train"], **train}
    own_of = values.get("per-imbalance") or {}
    if not isinstance(own_of, dict) or not {str(key) for key in own_of} <= set(imbalances):
        raise ValueError(f"{where} per-imbalance: known are {listing(imbalances)}")
    per_imbalance = {
        str(key): _options(AosTrainConfig, options or {}, f"{where} per-imbalance {key}")
        for key, options in own_of.items()
    }
    return Method(train, ae, generate, per_imbalance)


def _options(kind: type, values: Any, where: str, **paths: Path) -> Options:
    """Options by their names on the command line, checked by making the config they are for."""
    if not isinstance(values, dict):
        raise ValueError(f"{where} is no list of options")
    try:
        options = parsed(kind, values, without=_NOT_GIVEN)
        if options:
            kind(**_STAND_INS[kind], **paths, **options)
    except UserError as error:
        raise error.within(where) from None
    return options


def resolved(kind: type, options: Options, **paths: Path) -> Options:
    """Every option of a command that a protocol may give, as recorded: as given, or its default."""
    config = kind(**_STAND_INS[kind], **paths, **options)
    return {name: v for name, v in sorted(recorded(config).items()) if name not in _NOT_GIVEN}


def _seeds(values: Any) -> list[int]:
    if not isinstance(values, list) or not values or any(type(seed) is not int for seed in values):
        raise ValueError(f"seeds is {values!r}: give a list of whole numbers")
    if len(set(values)) < len(values) or min(values) < 0:
        raise ValueError(f"seeds is {values!r}: give each once, 0 or more")
    return values


def _fraction(value: Any) -> float:
    if not isinstance(value, float) or not 0 < value < 1:
        raise ValueError(f"val-fraction is {value!r}: give a number between 0 and 1")
    return value
