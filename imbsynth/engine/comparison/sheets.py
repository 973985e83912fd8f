"""Comparisons as sheets for a spreadsheet: a header, and rows of names and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from imbsynth.core.metric_table import COMPARED
from imbsynth.engine.comparison.image_by_image import LEAD_COLUMNS
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
    return _marked(Sheet(header, rows), [result.overlap for result in results])


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
    return _marked(Sheet(header, rows), [found["overlap"] for found in summaries])


def _marked(sheet: Sheet, overlaps: Sequence[int]) -> Sheet:
    """With a column of the test images that flatter the scores, if there are any."""
    if not any(overlaps):
        return sheet
    rows = [[*row, n] for row, n in zip(sheet.rows, overlaps, strict=True)]
    return Sheet([*sheet.header, "overlap"], rows)


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
    return _by_columns(PAIR_COLUMNS, ranking.pairs)


def lead_sheet(groups: Sequence[Mapping[str, Any]]) -> Sheet:
    """A row per lead of a best classifier, as `image_by_image` has them."""
    return _by_columns(LEAD_COLUMNS, [lead for group in groups for lead in group["leads"]])


def _by_columns(columns: Sequence[str], found: Sequence[Mapping[str, Any]]) -> Sheet:
    return Sheet(list(columns), [[one[column] for column in columns] for one in found])
