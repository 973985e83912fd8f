"""What experiments and evaluations have written, read back as one kind of result."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbsynth.engine.cells import CELLS
from imbsynth.errors import UserError
from imbsynth.store.records import METRICS, PROTOCOL, read_json

METRIC_NAMES = ("acsa", "gm", "g_mean", "f1_macro", "mcc", "kappa", "auroc_macro")
RAREST = "rarest_recall"  # the recall of the class with the fewest training images


class Result(NamedTuple):
    """One classifier on one test set."""

    problem: str  # data set, imbalance and test set; "" for plain evaluations
    method: str
    seed: int
    scores: dict[str, float]  # by METRIC_NAMES and RAREST
    intervals: dict[str, tuple[float, float]]  # 95 %, over the test images


class Table(NamedTuple):
    """The scores of k methods on n problems, over seeds."""

    problems: list[str]
    methods: list[str]
    mean: NDArray[np.float64]  # (n, k); not a number where a method has no result yet
    spread: NDArray[np.float64]  # (n, k), standard deviation (n - 1); 0 for one seed
    seeds: NDArray[np.int64]  # (n, k)

    def complete(self) -> NDArray[np.float64]:
        """(m, k): the problems on which every method has a result."""
        return self.mean[~np.isnan(self.mean).any(1)]


def read_results(folder: Path) -> list[Result]:
    """Every cell of an experiment, or every evaluation, below a folder; UserError if none."""
    if (folder / PROTOCOL).is_file():
        results = [result for path in _cells(folder) for result in _cell(path)]
    else:
        files = sorted(folder.rglob(METRICS)) if folder.is_dir() else []
        results = [_evaluation(folder, path) for path in files]
    if not results:
        raise UserError(
            f"{folder}: no results in it or below",
            f"evaluate with --out {folder / 'NAME'} first, or give the --out of an experiment",
        )
    return results


def tabulate(results: Sequence[Result], metric: str) -> Table:
    """One metric by problem and method, each in the order in which it first appears."""
    problems = list(dict.fromkeys(result.problem for result in results))
    methods = list(dict.fromkeys(result.method for result in results))
    shape = len(problems), len(methods)
    mean, spread = np.full(shape, np.nan), np.zeros(shape)
    seeds = np.zeros(shape, np.int64)
    for row, problem in enumerate(problems):
        for column, method in enumerate(methods):
            values = [
                result.scores[metric]
                for result in results
                if (result.problem, result.method) == (problem, method)
            ]
            seeds[row, column] = len(values)
            if values:
                mean[row, column] = np.mean(values)
            if len(values) > 1:
                spread[row, column] = np.std(values, ddof=1)
    return Table(problems, methods, mean, spread, seeds)


def wins(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """(n, k) scores -> (k, k): on how many problems the row's method beats the column's."""
    return (values[:, :, None] > values[:, None, :]).sum(0)


def _cells(folder: Path) -> list[Path]:
    """The results that are there, in the protocol's order."""
    names = read_json(folder / PROTOCOL).get("cells")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UserError(f"{folder / PROTOCOL}: lists no cells", "run the experiment again")
    files = [folder / CELLS / f"{name}.json" for name in names]
    return [path for path in files if path.is_file()]


def _cell(path: Path) -> list[Result]:
    found = read_json(path)
    try:
        cell, tests = found["cell"], found["tests"]
        problem = f"{cell['data']}, {cell['imbalance']}"
        several = len(tests) > 1
        return [
            _result(
                f"{problem}, {name}" if several else problem,
                str(cell["method"]),
                int(cell["seed"]),
                scores,
            )
            for name, scores in tests.items()
        ]
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise _foreign(path, "experiment", error) from None


def _evaluation(folder: Path, path: Path) -> Result:
    found = read_json(path)
    try:
        return _result("", path.parent.relative_to(folder).as_posix(), 0, found)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise _foreign(path, "evaluate", error) from None


def _result(problem: str, method: str, seed: int, scores: Mapping[str, Any]) -> Result:
    rarest = min(scores["per_class"].values(), key=lambda found: found["trained"])
    values = {name: _number(scores[name]) for name in METRIC_NAMES}
    intervals = {}
    for name in METRIC_NAMES:
        low, high = scores["intervals"][name]
        intervals[name] = _number(low), _number(high)
    return Result(problem, method, seed, {**values, RAREST: _number(rarest["recall"])}, intervals)


def _number(found: Any) -> float:
    """A finite number; ValueError for anything else that a file may hold."""
    if not isinstance(found, int | float) or not math.isfinite(found):
        raise ValueError("a score that is no number")
    return float(found)


def _foreign(path: Path, command: str, error: Exception) -> UserError:
    return UserError(
        f"{path}: not written by `imbsynth {command}` ({str(error)[:80]!r})",
        "make it again, or remove it",
    )
