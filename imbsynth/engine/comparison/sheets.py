"""Comparisons as sheets for a spreadsheet: a header, and rows of names and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from imbsynth.core.tables import COMPARED
from imbsynth.engine.comparison.ranking import PAIR_COLUMNS, Ranking
from imbsynth.engine.comparison.stored import Result
from imbsynth.engine.comparison.summaries import Summary


class Sheet(NamedTuple):
    """What one CSV file holds; None is an empty field."""

    header: list[str]
    rows: list[list[object]]


def result_sheet(results: Sequence[Result]) -> Sheet:
    """A row per result: problem, method, seed, rho, mu, and every metric."""
    header = ["problem", "method", "seed", "rho", "mu", *COMPARED]
    rows: list[list[object]] = []
    for result in results:
        scores = [result.scores[metric] for metric in COMPARED]
        rows.append([result.problem, result.method, result.seed, result.rho, result.mu, *scores])
    return Sheet(header, rows)


def summary_sheet(summaries: Sequence[Summary]) -> Sheet:
    """A row per problem and method: seeds, then mean and standard deviation of every metric.

    For one seed the standard deviation is unknown, and its field is empty.
    """
    header = ["problem", "method", "seeds"]
    for metric in COMPARED:
        header += [f"{metric}_mean", f"{metric}_sd"]
    rows = []
    for found in summaries:
        row: list[object] = [found["problem"], found["method"], found["seeds"]]
        for metric in COMPARED:
            row += [found[metric], found[f"{metric}_spread"] if found["seeds"] > 1 else None]
        rows.append(row)
    return Sheet(header, rows)


def win_sheet(ranking: Ranking) -> Sheet:
    """A row per method and opponent: on how many problems the method wins, loses and ties."""
    problems = len(ranking.common.seeds)
    rows: list[list[object]] = []
    for method, against in ranking.wins.items():
        for other, won in against.items():
            lost = ranking.wins[other][method]
            rows.append([method, other, won, lost, problems - won - lost, problems])
    return Sheet(["method", "other", "wins", "losses", "ties", "problems"], rows)


def pair_sheet(ranking: Ranking) -> Sheet:
    """A row per pair of methods: the mean difference, p, and the three probabilities."""
    rows: list[list[object]] = [[pair[column] for column in PAIR_COLUMNS] for pair in ranking.pairs]
    return Sheet(list(PAIR_COLUMNS), rows)
