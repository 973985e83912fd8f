"""What decides a cell's result, kept with it, so that none is taken for another's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from imbsynth.configs import AosTrainConfig, GenerateConfig, ImbalanceConfig, TrainAeConfig
from imbsynth.engine.experiments.protocols import Cell, Options, Protocol, resolved
from imbsynth.engine.reading import scan_regular
from imbsynth.store.folders import digest_of, fingerprint

Recipe = dict[str, Any]  # as JSON values


class Recipes:
    """The recipes of a protocol's cells; each data set is looked at once.

    root: the folder above the protocol's data sets.
    """

    def __init__(self, protocol: Protocol, root: Path) -> None:
        self.protocol, self.root = protocol, root
        self._fingerprints: dict[str, str] = {}

    def of(self, cell: Cell) -> Recipe:
        """The images that a cell starts from and every option on the way, defaults included.

        Equal recipes give equal results, on one kind of device and with one version of everything.
        """
        protocol = self.protocol
        method, test = protocol.methods[cell.method], protocol.sources[cell.data].test
        place = {} if method.ae is None else {"ae": Path("ae.safetensors")}
        recipe = {
            **self.of_cut(cell),
            "train_ae": _all(TrainAeConfig, method.ae),
            "generate": _all(GenerateConfig, method.generate, **place),
            "aos_train": _all(AosTrainConfig, method.training(cell.imbalance)),
            "test_images": None if test is None else self._fingerprint(test),
            "tests": {
                name: _all(ImbalanceConfig, cut or None) for name, cut in protocol.tests.items()
            },
        }
        return json.loads(json.dumps(recipe))

    def of_cut(self, cell: Cell) -> Recipe:
        """The part that decides what a cell may train on, whatever its method."""
        protocol = self.protocol
        return {
            **self.of_folds(cell),
            "imbalance": _all(ImbalanceConfig, protocol.imbalances[cell.imbalance] or None),
            "val_fraction": protocol.val_fraction,
            "seed": cell.seed,
        }

    def of_folds(self, cell: Cell) -> Recipe:
        """The part that all cells of a data set have in common."""
        train = self.protocol.sources[cell.data].train
        return {"images": self._fingerprint(train), "folds": self.protocol.folds}

    def _fingerprint(self, folder: str) -> str:
        if folder not in self._fingerprints:
            self._fingerprints[folder] = fingerprint(scan_regular(self.root / folder))
        return self._fingerprints[folder]


def short_digest(recipe: Recipe | list[Any]) -> str:
    """Part of the name of what is made from it, or from parts of it."""
    return digest_of(json.dumps(recipe, sort_keys=True).encode())[:12]


def difference(found: Any, wanted: Any, name: str = "") -> str:
    """The first option in which two recipes differ, in words; nothing if they are equal."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        keys = sorted(found.keys() | wanted.keys())
        parts = (
            difference(found.get(key), wanted.get(key), f"{name} {key}".strip()) for key in keys
        )
        return next(filter(None, parts), "")
    if found == wanted:
        return ""
    name = name.replace("_", "-") or "recipe"
    if name.endswith("images"):
        return f"from other {name}"
    if found is None or wanted is None:
        return f"{'without' if found is None else 'with'} {name}"
    if isinstance(found, dict | list) or isinstance(wanted, dict):  # no file of ours
        return f"with another {name}"
    return f"with {name} {found}, not {wanted}"


def _all(kind: type, options: Options | None, **paths: Path) -> Options | None:
    return None if options is None else resolved(kind, options, **paths)
