"""The files of an experiment: its protocol and the result of each trial, by any of their names.

A trial is one training of the experiment's grid. Older experiments call it a cell: their files are
read as they are, and never rewritten.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from imbsynth.store.fields import Wrong, texts
from imbsynth.store.folders import is_inside
from imbsynth.store.records import read_json

PROTOCOL = "protocol.json"
WORK = "work"  # the folder of what can be made again
TRIALS, CELLS = "trials", "cells"  # the folder of the results: today's name, and the former one
RESULTS = (TRIALS, CELLS)


def trial_file(experiment: Path, name: str) -> Path:
    """The file that a trial's result is written to. name: four parts, as "data/rho 50/AOS/0"."""
    return experiment / TRIALS / f"{name}.json"


def find_trial(experiment: Path, name: str) -> Path | None:
    """The file that holds a trial's result, under today's name or the former one; None if none."""
    for folder in RESULTS:
        path = experiment / folder / f"{name}.json"
        if os.path.isfile(path):  # False too for a name that no file can have
            return path
    return None


def trial_names(protocol: dict[str, Any]) -> list[str]:
    """The names of all trials that a protocol.json lists, each once.

    Raises Wrong if there is no such list, or if a name is a path that leads out of the experiment.
    """
    key = CELLS if TRIALS not in protocol and CELLS in protocol else TRIALS
    names = texts(protocol, key)
    for name in names:
        if not is_inside(name):
            raise Wrong(f"{name!r:.40} is not the name of a trial")
    return list(dict.fromkeys(names))


def lists_trials(protocol: dict[str, Any]) -> bool:
    """Whether an object out of a protocol.json looks like the protocol of an experiment."""
    return TRIALS in protocol or CELLS in protocol


def write_trial(path: Path, found: dict[str, Any]) -> None:
    """Write a trial's result, one key per line: the answers alone are a number per test image."""
    lines = (f'"{key}": {json.dumps(found[key], sort_keys=True)}' for key in sorted(found))
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def read_trial(path: Path) -> dict[str, Any]:
    """What a trial's file holds, by today's names; UserError unless it is a JSON object."""
    found = read_json(path)
    for name, former in (("trial", "cell"), ("imbalanced_copy", "cut")):
        if name not in found and former in found:
            found[name] = found.pop(former)
    return found
