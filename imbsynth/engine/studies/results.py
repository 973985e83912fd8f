"""What experiments and evaluations have written, read back as one kind of result."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbsynth.core import profiles
from imbsynth.errors import UserError
from imbsynth.store.records import CELLS, METRICS, PROTOCOL, read_json

METRIC_NAMES = ("acsa", "gm", "g_mean", "f1_macro", "mcc", "kappa", "auroc_macro")
RAREST = "rarest_recall"  # the recall of the class with the fewest training images
# What a file that another program wrote can raise while it is taken apart.
_WRONG = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, StopIteration)


class Result(NamedTuple):
    """One classifier on one test set."""

    problem: str  # data set, imbalance and test set; "" for plain evaluations
    method: str
    seed: int
    scores: dict[str, float]  # by METRIC_NAMES and RAREST
    intervals: dict[str, tuple[float, float]]  # 95 %, over the test images
    source: str = ""  # data set and test set: the problem but for its imbalance
    rho: float | None = None  # of the cut that was trained on; None where nothing says so
    mu: float | None = None


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
        results = _experiment(folder)
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


def _experiment(folder: Path) -> list[Result]:
    """The results of every cell; methods with a seed in common were trained on one cut."""
    paths = _cells(folder)
    cells = [_Cell.read(path) for path in paths]
    best_last = sorted(cells, key=lambda cell: cell.exact)
    cuts = {cell.cut: cell.counts for cell in best_last if cell.counts}
    return [
        result
        for path, cell in zip(paths, cells, strict=True)
        for result in cell.results(path, cuts.get(cell.cut, {}))
    ]


class _Cell(NamedTuple):
    """What the file of a cell holds."""

    cut: tuple[str, str, int]  # data set, imbalance, seed
    method: str
    counts: dict[str, int]  # of the cut; none if the file does not know them
    exact: bool  # else of the part of the cut that was trained on, as older files have it
    tests: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> _Cell:
        found = read_json(path)
        try:
            cell, tests = found["cell"], dict(found["tests"])
            cut = str(cell["data"]), str(cell["imbalance"]), int(cell["seed"])
            exact = "cut" in found
            counts = found["cut"]["counts"] if exact else _trained(next(iter(tests.values())))
            return cls(cut, str(cell["method"]), _positive(counts), exact, tests)
        except _WRONG as error:
            raise _foreign(path, "experiment", error) from None

    def results(self, path: Path, counts: dict[str, int]) -> Iterator[Result]:
        data, imbalance, seed = self.cut
        for name, scores in self.tests.items():
            tested = f", {name}" if len(self.tests) > 1 else ""
            try:
                result = _result(f"{data}, {imbalance}{tested}", self.method, seed, scores, counts)
            except _WRONG as error:
                raise _foreign(path, "experiment", error) from None
            yield result._replace(source=f"{data}{tested}")


def _evaluation(folder: Path, path: Path) -> Result:
    found = read_json(path)
    try:
        method = path.parent.relative_to(folder).as_posix()
        return _result("", method, 0, found, _positive(_trained(found)))
    except _WRONG as error:
        raise _foreign(path, "evaluate", error) from None


def _trained(scores: Mapping[str, Any]) -> dict[str, Any]:
    """Training images by class."""
    return {name: found["trained"] for name, found in scores["per_class"].items()}


def _positive(counts: Mapping[str, Any]) -> dict[str, int]:
    """The counts, or none if a class has no image, as where the originals were reconstructed."""
    found = {str(name): int(_number(n)) for name, n in counts.items()}
    return found if min(found.values()) > 0 else {}


def _result(
    problem: str, method: str, seed: int, scores: Mapping[str, Any], counts: dict[str, int]
) -> Result:
    classes = scores["per_class"]
    sizes = counts or _trained(scores)
    rarest = classes[min(classes, key=sizes.__getitem__)]
    values = {name: _number(scores[name]) for name in METRIC_NAMES}
    intervals = {}
    for name in METRIC_NAMES:
        low, high = scores["intervals"][name]
        intervals[name] = _number(low), _number(high)
    return Result(
        problem,
        method,
        seed,
        {**values, RAREST: _number(rarest["recall"])},
        intervals,
        rho=profiles.rho(counts) if counts else None,
        mu=profiles.mu(counts) if counts else None,
    )


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
