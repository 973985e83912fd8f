"""Which method is better by one metric, over the problems and seeds that all methods share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbsynth.core import significance
from imbsynth.engine.comparison.stored import Result
from imbsynth.engine.comparison.summaries import tabulate

ENOUGH = 3  # problems, and methods: with fewer, a test over problems says nothing
CHANCES = ("first_better", "alike", "second_better")
PAIR_COLUMNS = ("first", "second", "difference", "p", *CHANCES)


class Excluded(NamedTuple):
    """Results that take no part in the ranking."""

    reason: Literal[
        "pretrained",
        "no problem named",
        "different test images",
        "method missing",
        "no common seed",
        "seed not common",
    ]
    problem: str = ""
    methods: tuple[str, ...] = ()  # that have no result: on the problem, or with the seeds
    seeds: tuple[int, ...] = ()  # without these methods
    results: int = 0  # that name no problem or different ones, or are of pretrained networks


@dataclass(frozen=True)
class Common:
    """What the methods are compared on."""

    seeds: dict[str, list[int]]  # by problem; the other problems do not count
    of: int  # number of all problems
    excluded: list[Excluded]


@dataclass(frozen=True)
class Ranking:
    """The outcome; empty if the methods share no problem."""

    common: Common
    wins: dict[str, dict[str, int]]  # {method: {other: problems on which it is better}}
    ranks: dict[str, float]  # {method: mean rank over the problems}, 1 the best
    friedman: float | None  # p that all methods rank equally; None with less than ENOUGH
    pairs: list[dict[str, Any]]  # by PAIR_COLUMNS, smallest p first; empty with less than ENOUGH


def rank(results: Sequence[Result], metric: str, rope: float, seed: int) -> Ranking:
    """Compare every method with every other one.

    rope: the largest difference that does not matter, in the unit of the scores. seed: of the
    random draws of the Bayesian test.
    """
    common, kept = in_common(results)
    table = tabulate(kept, metric)
    values, methods = table.mean, table.methods
    counts = significance.wins(values)
    enough = len(values) >= ENOUGH and len(methods) >= ENOUGH
    mean_ranks = significance.ranks(values).mean(0).tolist() if methods else []
    return Ranking(
        common=common,
        wins={
            one: {other: int(counts[i, j]) for j, other in enumerate(methods) if j != i}
            for i, one in enumerate(methods)
        },
        ranks=dict(zip(methods, mean_ranks, strict=True)),
        friedman=significance.friedman(values) if enough else None,
        pairs=_pairs(values, methods, rope, seed) if enough else [],
    )


def in_common(results: Sequence[Result]) -> tuple[Common, list[Result]]:
    """The results on which all methods can be compared, and what these are.

    A problem counts if every method has a result on it, with the seeds that all of them share.
    Evaluations outside experiments name no problem: they count only if there is nothing else, and
    all are of the same test images. So do pretrained networks, which have seen other images too.
    """
    fresh = [result for result in results if not result.pretrained] or list(results)
    named = [result for result in fresh if result.source]
    excluded = []
    if len(fresh) < len(results):
        excluded.append(Excluded("pretrained", results=len(results) - len(fresh)))
    if named and len(named) < len(fresh):
        excluded.append(Excluded("no problem named", results=len(fresh) - len(named)))
    if not named and len({result.problem for result in fresh}) > 1:
        apart = Excluded("different test images", results=len(fresh))
        return Common({}, len({result.problem for result in fresh}), [*excluded, apart]), []
    candidates = named or fresh
    methods = list(dict.fromkeys(result.method for result in candidates))
    by_problem: dict[str, dict[str, set[int]]] = {}
    for result in candidates:
        seeds_of = by_problem.setdefault(result.problem, {method: set() for method in methods})
        seeds_of[result.method].add(result.seed)

    seeds: dict[str, list[int]] = {}
    for problem, seeds_of in by_problem.items():
        shared = sorted(set.intersection(*seeds_of.values()))
        if shared:
            seeds[problem] = shared
        excluded += _excluded(problem, seeds_of)
    kept = [result for result in candidates if result.seed in seeds.get(result.problem, [])]
    return Common(seeds, len(by_problem), excluded), kept


def _excluded(problem: str, seeds_of: dict[str, set[int]]) -> list[Excluded]:
    """What does not count of a problem."""
    lacking = tuple(method for method, seeds in seeds_of.items() if not seeds)
    if lacking:
        return [Excluded("method missing", problem, lacking)]
    if not set.intersection(*seeds_of.values()):
        return [Excluded("no common seed", problem)]
    by_absent: dict[tuple[str, ...], list[int]] = {}
    for seed in sorted(set.union(*seeds_of.values())):
        absent = tuple(method for method, seeds in seeds_of.items() if seed not in seeds)
        if absent:
            by_absent.setdefault(absent, []).append(seed)
    return [
        Excluded("seed not common", problem, methods, tuple(seeds))
        for methods, seeds in by_absent.items()
    ]


def _pairs(
    values: NDArray[np.float64], methods: list[str], rope: float, seed: int
) -> list[dict[str, Any]]:
    """A row per pair of the k methods with (n, k) scores, the smallest p first."""
    pairs = []
    for pair in significance.shaffer(values):
        first, second = values[:, pair.first], values[:, pair.second]
        chances = significance.better(first, second, rope, seed)
        pairs.append(
            {
                "first": methods[pair.first],
                "second": methods[pair.second],
                "difference": float(np.mean(first - second)),
                "p": pair.adjusted,
                **dict(zip(CHANCES, chances, strict=True)),
            }
        )
    return pairs
