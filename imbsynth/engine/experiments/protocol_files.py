"""Protocols as YAML files: read, and every part checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imbsynth.configs import (
    AosTrainConfig,
    GenerateConfig,
    ImbalanceConfig,
    TrainAeConfig,
    TrainGeneratorConfig,
)
from imbsynth.engine.experiments.protocol_options import Options, checked, read_options
from imbsynth.engine.experiments.protocols import DataSet, MethodOptions, Protocol
from imbsynth.errors import UserError
from imbsynth.options import shown
from imbsynth.store.fields import INT64_MAX
from imbsynth.store.names import listing
from imbsynth.store.plain_yaml import read_values, text_of

# Of a data set, a method, ...: a file name, and no way out of a folder.
NAME = re.compile(r"(?!\.+$)[\w.+=,%-][\w.+=,% -]{0,63}")
KEYS = {"about", "data", "imbalance", "methods", "seeds", "tests", "folds", "val-fraction"}
KEYS |= {"train", "train-ae", "train-generator", "generate"}
METHOD_KEYS = ("train", "train-ae", "train-generator", "generate", "per-imbalance")


def read_protocol(path: Path) -> Protocol:
    """The protocol in a YAML file; UserError names what is wrong with it."""
    try:
        return parse_protocol(read_values(text_of(path)))
    except ValueError as error:
        reason = " ".join(str(error).split())
    except UserError as error:
        reason = f"{error.problem}: {error.fix}"
    raise UserError(f"{path}: {reason}", "see the protocols in experiments/ for the form")


def parse_protocol(found: Mapping[str, Any]) -> Protocol:
    """The protocol of a parsed file; ValueError or UserError for what is wrong in it."""
    strange = sorted(map(str, found.keys() - KEYS))
    if strange:
        raise ValueError(f"unknown key {listing(strange)}: known are {', '.join(sorted(KEYS))}")
    folds = found.get("folds")
    if folds is not None and (type(folds) is not int or folds < 2):
        raise ValueError(f"folds is {shown(folds)}: give 2 or more")
    common = {
        "train": read_options(AosTrainConfig, found.get("train", {}), "train"),
        "ae": read_options(TrainAeConfig, found.get("train-ae", {}), "train-ae"),
        "generator": read_options(
            TrainGeneratorConfig, found.get("train-generator", {}), "train-generator"
        ),
        "generate": read_options(GenerateConfig, found.get("generate", {}), "generate"),
    }
    imbalances = _imbalances(_named(found, "imbalance", {"as is": {}}), "imbalance")
    return Protocol(
        about=str(found.get("about", "")),
        data=_data_sets(_named(found, "data"), folds),
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
    """{name: options}, where every name can be part of a file name."""
    values = found.get(key, default)
    if not isinstance(values, dict) or not values:
        raise ValueError(f"{key} is not a list of names with options")
    for name in values:
        if not isinstance(name, str | int) or isinstance(name, bool):
            raise ValueError(f"{key}: YAML reads a name as {name!r}: put it in quotes")
        if not NAME.fullmatch(str(name)):
            raise ValueError(f"{key}: {str(name)!r} cannot be part of a file name")
    names = [str(name) for name in values]
    if len({name.casefold() for name in names}) < len(names):
        raise ValueError(f"{key}: {listing(names)} must differ in more than their case")
    return {str(name): options or {} for name, options in values.items()}


def _data_sets(values: dict[str, Any], folds: int | None) -> dict[str, DataSet]:
    found = {}
    for name, folders in values.items():
        if not isinstance(folders, dict) or not folders.keys() <= {"train", "test"}:
            raise ValueError(f"data: {name} is not train and test, two folders")
        if "train" not in folders or (folds is None) != ("test" in folders):
            wanted = " and test" if folds is None else " alone: a fold is the test set"
            raise ValueError(f"data: {name} needs train{wanted}")
        test = folders.get("test")
        found[name] = DataSet(str(folders["train"]), None if test is None else str(test))
    return found


def _imbalances(values: dict[str, Any], key: str) -> dict[str, Options]:
    return {
        name: checked(ImbalanceConfig, options, f"{key} {name}") for name, options in values.items()
    }


def _method(
    name: str, values: Any, common: Mapping[str, Options], imbalances: list[str]
) -> MethodOptions:
    """A method's own options on top of those that all methods have in common."""
    where = f"methods {name}"
    if not isinstance(values, dict) or not values.keys() <= set(METHOD_KEYS):
        raise ValueError(f"{where} has other keys than {', '.join(METHOD_KEYS)}")
    own = {key: values.get(key) or {} for key in METHOD_KEYS}
    train = checked(AosTrainConfig, own["train"], f"{where} train", common["train"])
    ae = generator = generate = None
    paths: dict[str, Path] = {}
    if "train-ae" in values:
        ae = checked(TrainAeConfig, own["train-ae"], f"{where} train-ae", common["ae"])
        paths["ae"] = Path("ae.safetensors")
    if "train-generator" in values:
        place = f"{where} train-generator"
        options = read_options(TrainGeneratorConfig, own["train-generator"], place)
        if "kind" not in {**common["generator"], **options}:
            raise ValueError(f"{place} names no kind")
        generator = checked(TrainGeneratorConfig, options, place, common["generator"])
        paths["generator"] = Path("generator.safetensors")
    if paths or "generate" in values:
        place = f"{where} generate"
        generate = checked(GenerateConfig, own["generate"], place, common["generate"], **paths)
    per_imbalance = _per_imbalance(own["per-imbalance"], train, imbalances, where)
    return MethodOptions(train, ae, generator, generate, per_imbalance)


def _per_imbalance(
    values: Any, train: Options, imbalances: list[str], where: str
) -> dict[str, Options]:
    if not isinstance(values, dict) or not {str(key) for key in values} <= set(imbalances):
        raise ValueError(f"{where} per-imbalance: known are {listing(imbalances)}")
    found = {}
    for key, options in values.items():
        place = f"{where} per-imbalance {key}"
        checked(AosTrainConfig, options or {}, place, train)
        found[str(key)] = read_options(AosTrainConfig, options or {}, place)
    return found


def _seeds(values: Any) -> list[int]:
    if not isinstance(values, list) or not values or any(type(seed) is not int for seed in values):
        raise ValueError(f"seeds is {shown(values)}: give a list of whole numbers")
    if len(set(values)) < len(values) or min(values) < 0 or max(values) > INT64_MAX:
        raise ValueError(f"seeds is {shown(values)}: give each once, from 0 to {INT64_MAX}")
    return values


def _fraction(value: Any) -> float:
    if not isinstance(value, float) or not 0 < value < 1:
        raise ValueError(f"val-fraction is {value!r}: give a number between 0 and 1")
    return value
