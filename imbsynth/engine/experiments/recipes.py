"""What decides the result of a trial. It is kept with the result, so that none is mistaken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from imbsynth.configs import (
    AosTrainConfig,
    GenerateConfig,
    ImbalanceConfig,
    TrainAeConfig,
    TrainGeneratorConfig,
)
from imbsynth.engine.experiments.protocol_options import Options, checked, names, resolved
from imbsynth.engine.experiments.protocols import Protocol, Trial
from imbsynth.engine.reading import scan_regular
from imbsynth.errors import UserError
from imbsynth.store.folders import digest_of, fingerprint, read_regular
from imbsynth.store.names import printable

Recipe = dict[str, Any]  # as JSON values
CHECKPOINT = Path("network.safetensors")  # stands for any while options are checked
FORMER_OPTIONS = {"neighbours": "k_neighbors"}  # their names in the recipes of older versions


class Recipes:
    """The recipes of a protocol's trials. The folder of each data set is scanned once.

    root: the folder above the protocol's data sets. grouping: the options of `split` by which
    images belong together.
    """

    def __init__(self, protocol: Protocol, root: Path, grouping: Options) -> None:
        self.protocol, self.root = protocol, root
        self._grouping = {
            name: digest_of(read_regular(value)) if isinstance(value, Path) else value
            for name, value in grouping.items()
        }
        self._fingerprints: dict[str, str] = {}

    def of(self, trial: Trial) -> Recipe:
        """The images that a trial starts from, and every option on the way, defaults included.

        Equal recipes give equal results, on one kind of device and with the same versions.
        """
        protocol = self.protocol
        method, test = protocol.methods[trial.method], protocol.data[trial.data].test
        place = _networks(ae=method.ae, generator=method.generator)
        trained = _all(TrainGeneratorConfig, method.generator)
        recipe = {
            **self.of_copy(trial),
            # Left out of others, so that names of what they have made stay as they were.
            **({} if trained is None else {"train_generator": trained}),
            "train_ae": _all(TrainAeConfig, method.ae),
            "generate": _all(GenerateConfig, method.generate, **place),
            "aos_train": _all(AosTrainConfig, method.training(trial.imbalance)),
            "test_images": None if test is None else self._fingerprint(test),
            "tests": {
                name: _all(ImbalanceConfig, options or None)
                for name, options in protocol.tests.items()
            },
        }
        return json.loads(json.dumps(recipe))

    def of_copy(self, trial: Trial) -> Recipe:
        """The part that decides the imbalanced copy and its split, whatever the method."""
        protocol = self.protocol
        return {
            **self.of_folds(trial),
            "imbalance": _all(ImbalanceConfig, protocol.imbalances[trial.imbalance] or None),
            "val_fraction": protocol.val_fraction,
            "seed": trial.seed,
        }

    def of_folds(self, trial: Trial) -> Recipe:
        """The part that all trials on a data set have in common."""
        train = self.protocol.data[trial.data].train
        return {
            "images": self._fingerprint(train),
            "folds": self.protocol.folds,
            **self._grouping,
        }

    def _fingerprint(self, folder: str) -> str:
        if folder not in self._fingerprints:
            self._fingerprints[folder] = fingerprint(scan_regular(self.root / folder))
        return self._fingerprints[folder]


def short_digest(recipe: Recipe | list[Any]) -> str:
    """Part of the name of what is made from a recipe, or from parts of one."""
    return digest_of(json.dumps(recipe, sort_keys=True).encode())[:12]


def modern(recipe: Any) -> Any:
    """A recipe of any version as this version writes it.

    Options that did not exist then have their default, with which nothing changes, or what was
    done then; renamed ones get their new name. What is not a recipe is returned as it is.
    """
    if not isinstance(recipe, dict):
        return recipe
    generator = recipe.get("train_generator")
    place = _networks(ae=recipe.get("train_ae"), generator=generator)
    found = {
        **recipe,
        "imbalance": _modern(ImbalanceConfig, recipe.get("imbalance")),
        "train_ae": _modern(TrainAeConfig, recipe.get("train_ae")),
        "generate": _modern(GenerateConfig, recipe.get("generate"), **place),
        "aos_train": _modern(AosTrainConfig, recipe.get("aos_train")),
    }
    if generator is not None:
        found["train_generator"] = _modern(TrainGeneratorConfig, generator)
    tests = recipe.get("tests")
    if isinstance(tests, dict):
        found["tests"] = {name: _modern(ImbalanceConfig, test) for name, test in tests.items()}
    return json.loads(json.dumps(found))


def _modern(kind: type, options: Any, **paths: Path) -> Any:
    """All options of a command, from those that an older version recorded."""
    if not isinstance(options, dict):
        return options
    renamed = {FORMER_OPTIONS.get(name, name): value for name, value in options.items()}
    given = {name: value for name, value in renamed.items() if value is not None}
    known = names(kind)
    if "ae" not in given and "ae" not in paths:
        given.pop("decode", None)  # nothing was decoded, whatever the default was
    elif "decode" in known:
        given.setdefault("decode", "plain")  # the only way, before there was a choice
    unknown = {name: value for name, value in given.items() if name not in known}
    try:
        kept = {name: value for name, value in given.items() if name in known}
        return {**resolved(kind, checked(kind, kept, "recipe", None, **paths), **paths), **unknown}
    except (ValueError, UserError):  # this version cannot make it: so it differs
        return renamed


def difference(found: Any, wanted: Any, name: str = "") -> str:
    """The first option in which two recipes differ, for a message; "" if they are equal."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        for key in sorted(found.keys() | wanted.keys()):
            inner = difference(found.get(key), wanted.get(key), f"{name} {key}".strip())
            if inner:
                return inner
        return ""
    if found == wanted:
        return ""
    name = name.replace("_", "-") or "recipe"
    if name.endswith("images"):
        return f"from other {name}"
    if found is None or wanted is None:
        return f"{'without' if found is None else 'with'} {name}"
    if isinstance(found, dict | list) or isinstance(wanted, dict):  # another program wrote it
        return f"with another {name}"
    return f"with {name} {printable(str(found))}, not {wanted}"


def _networks(**options: Options | None) -> dict[str, Path]:
    """A path for each network that is trained, while options are checked."""
    return {name: CHECKPOINT for name, given in options.items() if given is not None}


def _all(kind: type, options: Options | None, **paths: Path) -> Options | None:
    return None if options is None else resolved(kind, options, **paths)
