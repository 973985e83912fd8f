"""The results of all experiments and evaluations below a folder."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from imbsynth.engine.comparison.stored import Result, load_evaluation, load_trial, named, tested_on
from imbsynth.errors import UserError
from imbsynth.store.fields import Wrong
from imbsynth.store.names import printable
from imbsynth.store.records import METRICS, read_json
from imbsynth.store.trials import PROTOCOL, RESULTS, WORK, find_trial, trial_names


def read_results(folder: Path) -> list[Result]:
    """The results of every trial of every experiment, and of every evaluation.

    folder: all folders below it are searched too. Raises UserError if nothing is found, if
    another program wrote a file, or if two results have the same problem, method and seed.
    """
    experiments, evaluations = _found_below(folder)
    results = _of_trials(path for home in experiments for path in _trials(home))
    results += _of_evaluations(folder, evaluations)
    if results:
        return results
    if experiments:
        raise UserError(
            f"{printable(str(experiments[0]))}: no trial of the experiment is done yet",
            "run it first, with the same output folder",
        )
    raise UserError(
        f"{folder}: no results in this folder or below it",
        "evaluate a classifier into a folder below it first, or give the output folder of an "
        "experiment",
    )


def _found_below(folder: Path) -> tuple[list[Path], list[Path]]:
    """The folders of experiments, and the files of evaluations.

    Not searched: what an experiment keeps for itself, and hidden folders, which may be unfinished.
    """
    experiments, evaluations = [], []
    for place, folders, files in os.walk(folder, onerror=_refuse):
        own = {*RESULTS, WORK} if PROTOCOL in files else set()
        folders[:] = [name for name in folders if name not in own and name[0] != "."]
        if PROTOCOL in files:
            experiments.append(Path(place))
        if METRICS in files:
            evaluations.append(Path(place, METRICS))
    return sorted(experiments), sorted(evaluations)


def _refuse(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise UserError(
            f"{printable(str(error.filename))}: cannot be read ({error.strerror})",
            "make the folder readable, or compare another one",
        )


def _trials(home: Path) -> list[Path]:
    """The results of an experiment that exist, in the protocol's order."""
    try:
        names = trial_names(read_json(home / PROTOCOL))
    except Wrong as error:
        raise UserError(
            f"{printable(str(home / PROTOCOL))}: lists no trials ({error})",
            "run the experiment again",
        ) from None
    found = (find_trial(home, name) for name in names)
    return [path for path in found if path is not None]


def _of_trials(paths: Iterable[Path]) -> list[Result]:
    """The results of all trials; UserError if two of them contradict each other."""
    results: list[Result] = []
    written: dict[tuple[str, str, int], Path] = {}
    copies: dict[tuple[str, str, int], tuple[Path, dict[str, int]]] = {}
    for path in paths:
        trial = load_trial(path)
        other, counts = copies.setdefault(trial.imbalanced_copy, (path, trial.counts))
        if counts != trial.counts:
            data, imbalance, seed = trial.imbalanced_copy
            differing = f"imbalanced copies of {data}, {imbalance}, seed {seed} that differ"
            raise _conflict(other, path, differing)
        for result in trial.results:
            name = result.problem, result.method, result.seed
            if name in written:
                raise _conflict(written[name], path, f"{name[1]} on {name[0]}, seed {name[2]}")
            written[name] = path
        results += trial.results
    return results


def _of_evaluations(folder: Path, paths: list[Path]) -> list[Result]:
    """Their results; those on different test images are different problems, as far as known."""
    tested = [tested_on(path) for path in paths]
    digests = {one.digest for one in tested if one is not None}
    folders = [one.folder for one in {one for one in tested if one is not None}]
    results = []
    for path, one in zip(paths, tested, strict=True):
        result = load_evaluation(path, path.parent.relative_to(folder).as_posix())
        if one is not None and len(digests) > 1:
            apart = f" ({one.digest[:8]})" if folders.count(one.folder) > 1 else ""
            problem = named(f"tested on {one.folder}{apart}", result.pretrained)
            result = result._replace(problem=problem)
        results.append(result)
    return results


def _conflict(first: Path, second: Path, both: str) -> UserError:
    return UserError(
        f"{printable(str(first))} and {printable(str(second))}: both hold {printable(both)}",
        "compare these experiments one by one, or rename what differs in one of the protocols",
    )
