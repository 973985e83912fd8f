"""Results summarised: the mean and the spread of every metric by problem and method."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbsynth.core import significance
from imbsynth.core.metric_table import COMPARED
from imbsynth.engine.comparison.stored import Result

Summary = dict[str, Any]  # of a method on a problem, as `summarise` gives it


class ScoreTable(NamedTuple):
    """The scores of k methods on n problems by one metric, over seeds."""

    problems: list[str]
    methods: list[str]
    mean: NDArray[np.float64]  # (n, k); NaN where a method has no result yet
    spread: NDArray[np.float64]  # (n, k), standard deviation with n - 1; 0 for one seed
    seeds: NDArray[np.int64]  # (n, k), number of seeds


def tabulate(results: Sequence[Result], metric: str) -> ScoreTable:
    """One metric by problem and method, each in the order in which it first appears."""
    problems = list(dict.fromkeys(result.problem for result in results))
    methods = list(dict.fromkeys(result.method for result in results))
    values: dict[tuple[str, str], list[float]] = {}
    for result in results:
        values.setdefault((result.problem, result.method), []).append(result.scores[metric])
    shape = len(problems), len(methods)
    mean, spread = np.full(shape, np.nan), np.zeros(shape)
    seeds = np.zeros(shape, np.int64)
    for (problem, method), found in values.items():
        place = problems.index(problem), methods.index(method)
        seeds[place], mean[place] = len(found), np.mean(found)
        if len(found) > 1:
            spread[place] = np.std(found, ddof=1)
    return ScoreTable(problems, methods, mean, spread, seeds)


def summarise(results: Sequence[Result], rope: float) -> list[Summary]:
    """A summary per problem and method that has a result.

    Keys: `problem`, `method`, `seeds` (their number), for each METRIC its mean over the seeds and
    METRIC_spread, `overlap` (test images that flatter the scores, over all seeds), `best` (the
    metrics in which no other method on the problem is better by more than `rope`, but some are
    worse) and, if there is one seed, `intervals` over the test images.
    """
    tables = {metric: tabulate(results, metric) for metric in COMPARED}
    intervals = {(result.problem, result.method): result.intervals for result in results}
    overlap: Counter[tuple[str, str]] = Counter()
    for result in results:
        overlap[result.problem, result.method] += result.overlap
    best = {
        metric: np.array([significance.leading(row, rope) for row in table.mean])
        for metric, table in tables.items()
    }
    problems, methods, _, _, seeds = tables["acsa"]
    rows = []
    for i, j in np.argwhere(seeds > 0):
        row: Summary = {"problem": problems[i], "method": methods[j], "seeds": int(seeds[i, j])}
        for metric, table in tables.items():
            row[metric] = float(table.mean[i, j])
            row[f"{metric}_spread"] = float(table.spread[i, j])
        row["overlap"] = overlap[row["problem"], row["method"]]
        row["best"] = [metric for metric in COMPARED if best[metric][i, j]]
        if row["seeds"] == 1:
            row["intervals"] = intervals[row["problem"], row["method"]]
        rows.append(row)
    return rows
