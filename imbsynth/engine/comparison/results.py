"""What experiments and evaluations have written, read back as one kind of result."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbsynth.core import profiles
from imbsynth.errors import UserError
from imbsynth.store.folders import is_inside
from imbsynth.store.names import printable
from imbsynth.store.records import CELLS, METRICS, PROTOCOL, WORK, read_json

METRIC_NAMES = ("acsa", "gm", "g_mean", "f1_macro", "mcc", "kappa", "auroc_macro")
RAREST = "rarest_recall"  # the mean recall of the classes with the fewest training images
SCORES = (*METRIC_NAMES, RAREST)
# What a file that another program wrote can raise while it is taken apart.
_WRONG = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError)


class Result(NamedTuple):
    """One classifier on one test set."""

    problem: str  # data set, imbalance and test set; "" for plain evaluations
    method: str
    seed: int
    scores: dict[str, float]  # by SCORES
    intervals: dict[str, tuple[float, float]]  # 95 %, over the test images; by METRIC_NAMES
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


def read_results(folder: Path) -> list[Result]:
    """Every cell of every experiment, and every evaluation, in a folder or below it.

    Raises UserError if there is none, if a file is none of ours, or if two of them cannot stand in
    one table.
    """
    experiments, evaluations = _found_below(folder)
    results = list(_of_cells(path for home in experiments for path in _cells(home)))
    results += [_evaluation(folder, path) for path in evaluations]
    if results:
        return results
    if experiments:
        raise UserError(
            f"{printable(str(experiments[0]))}: no cell of the experiment is done yet",
            "run it first, with the same --out",
        )
    raise UserError(
        f"{folder}: no results in it or below",
        f"evaluate with --out {folder / 'NAME'} first, or give the --out of an experiment",
    )


def tabulate(results: Sequence[Result], metric: str) -> Table:
    """One metric by problem and method, each in the order in which it first appears."""
    problems = list(dict.fromkeys(result.problem for result in results))
    methods = list(dict.fromkeys(result.method for result in results))
    values: dict[tuple[str, str], list[float]] = {}
    for result in results:
        values.setdefault((result.problem, result.method), []).append(result.scores[metric])
    shape = len(problems), len(methods)
    mean, spread = np.full(shape, np.nan), np.zeros(shape)
    seeds = np.zeros(shape, np.int64)
    for row, problem in enumerate(problems):
        for column, method in enumerate(methods):
            found = values.get((problem, method), [])
            seeds[row, column] = len(found)
            if found:
                mean[row, column] = np.mean(found)
            if len(found) > 1:
                spread[row, column] = np.std(found, ddof=1)
    return Table(problems, methods, mean, spread, seeds)


def _found_below(folder: Path) -> tuple[list[Path], list[Path]]:
    """The experiments' folders, and the files of evaluations.

    Not looked into: what an experiment keeps for itself, and hidden folders, which may be half
    written.
    """
    experiments, evaluations = [], []
    for place, folders, files in os.walk(folder, onerror=_refuse):
        own = {CELLS, WORK} if PROTOCOL in files else set()
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


def _cells(home: Path) -> list[Path]:
    """The results of an experiment that are there, in the protocol's order."""
    names = read_json(home / PROTOCOL).get("cells")
    if not isinstance(names, list) or not all(
        isinstance(name, str) and is_inside(name) for name in names
    ):
        raise UserError(f"{home / PROTOCOL}: lists no cells", "run the experiment again")
    files = [home / CELLS / f"{name}.json" for name in dict.fromkeys(names)]
    return [path for path in files if os.path.isfile(path)]


def _of_cells(paths: Iterable[Path]) -> Iterator[Result]:
    """The results of all cells; UserError where two say different things by one name."""
    written: dict[tuple[str, str, int], Path] = {}
    cuts: dict[tuple[str, str, int], tuple[Path, dict[str, int]]] = {}
    for path in paths:
        cell = _StoredCell.read(path)
        other, counts = cuts.setdefault(cell.cut, (path, cell.counts))
        if counts != cell.counts:
            data, imbalance, seed = cell.cut
            raise _conflict(other, path, f"cuts of {data}, {imbalance}, seed {seed} that differ")
        for result in cell.results(path):
            name = result.problem, result.method, result.seed
            if name in written:
                raise _conflict(written[name], path, f"{name[1]} on {name[0]}, seed {name[2]}")
            written[name] = path
            yield result


def _conflict(first: Path, second: Path, both: str) -> UserError:
    return UserError(
        f"{printable(str(first))} and {printable(str(second))}: both hold {printable(both)}",
        "compare these experiments one by one, or give what differs another name in its protocol",
    )


class _StoredCell(NamedTuple):
    """What the file of a cell holds."""

    cut: tuple[str, str, int]  # data set, imbalance, seed
    method: str
    counts: dict[str, int]  # of the cut
    tests: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> _StoredCell:
        found = read_json(path)
        try:
            cell, tests = found["cell"], dict(found["tests"])
            cut = str(cell["data"]), str(cell["imbalance"]), int(cell["seed"])
            counts = _counts(found["cut"]["counts"])
            if not counts or min(counts.values()) < 1:
                raise ValueError("a class without an image")
            return cls(cut, str(cell["method"]), counts, tests)
        except _WRONG as error:
            raise _foreign(path, "experiment", error) from None

    def results(self, path: Path) -> Iterator[Result]:
        data, imbalance, seed = self.cut
        for name, scores in self.tests.items():
            tested = f", {name}" if len(self.tests) > 1 else ""
            problem = f"{data}, {imbalance}{tested}"
            try:
                result = _result(problem, self.method, seed, scores, self.counts)
            except _WRONG as error:
                raise _foreign(path, "experiment", error) from None
            yield result._replace(
                source=f"{data}{tested}",
                rho=profiles.rho(self.counts),
                mu=profiles.mu(self.counts),
            )


def _evaluation(folder: Path, path: Path) -> Result:
    """A file of `evaluate`; the training images stand for the cut, which it does not know."""
    found = read_json(path)
    try:
        method = path.parent.relative_to(folder).as_posix()
        counts = _counts({name: row["trained"] for name, row in found["per_class"].items()})
        result = _result("", method, 0, found, counts)
        if min(counts.values()) > 0:  # else the originals were reconstructed, and trained on so
            result = result._replace(rho=profiles.rho(counts), mu=profiles.mu(counts))
    except _WRONG as error:
        raise _foreign(path, "evaluate", error) from None
    return result


def _counts(found: Mapping[str, Any]) -> dict[str, int]:
    """Images by class."""
    return {str(name): int(_number(n)) for name, n in found.items()}


def _result(
    problem: str, method: str, seed: int, scores: Mapping[str, Any], counts: dict[str, int]
) -> Result:
    values = {name: _number(scores[name]) for name in METRIC_NAMES}
    values[RAREST] = _rarest_recall(scores["per_class"], counts)
    intervals = {}
    for name in METRIC_NAMES:
        low, high = scores["intervals"][name]
        intervals[name] = _number(low), _number(high)
    return Result(problem, method, seed, values, intervals)


def _rarest_recall(per_class: Mapping[str, Any], counts: dict[str, int]) -> float:
    """The mean over all classes with the fewest images: one of several would differ by seed."""
    fewest = min(counts[name] for name in per_class)
    recalls = [_number(per_class[name]["recall"]) for name in per_class if counts[name] == fewest]
    return float(np.mean(recalls))


def _number(found: Any) -> float:
    """A finite number; ValueError for anything else that a file may hold."""
    if not isinstance(found, int | float) or not math.isfinite(found):
        raise ValueError("a score that is no number")
    return float(found)


def _foreign(path: Path, command: str, error: Exception) -> UserError:
    return UserError(
        f"{printable(str(path))}: not written by `imbsynth {command}` ({str(error)[:80]!r})",
        "make it again, or remove it",
    )
