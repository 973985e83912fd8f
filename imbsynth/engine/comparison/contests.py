"""Who is better by one metric, over the problems and seeds that all methods have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imbsynth.core import significance
from imbsynth.engine.comparison.results import Result, tabulate

MANY = 3  # problems, and methods, from which on a test over problems says something


@dataclass(frozen=True)
class Common:
    """What the methods are held against each other on."""

    seeds: dict[str, list[int]]  # by problem; the other problems do not count
    of: int  # problems in all
    left_out: list[str]  # what does not count, and why, a sentence each


@dataclass(frozen=True)
class Contest:
    """The outcome; without a problem in common, nobody has won anything."""

    common: Common
    wins: dict[str, dict[str, int]]  # {method: {other: problems on which it is better}}
    ranks: dict[str, float]  # {method: mean rank over the problems}, 1 the best
    friedman: float | None  # p that all methods rank alike; None with fewer than 3 x 3 results
    pairs: list[dict[str, Any]]  # first, second, p by Shaffer, and the three Bayesian chances


def hold(results: Sequence[Result], metric: str, rope: float, seed: int) -> Contest:
    """Hold every method against every other one.

    rope: the difference that still does not matter, in the unit of the scores. seed: of the
    Bayesian test's draws.
    """
    common, kept = in_common(results)
    table = tabulate(kept, metric)
    values, methods = table.mean, table.methods
    counts = significance.wins(values)
    enough = len(values) >= MANY and len(methods) >= MANY
    return Contest(
        common=common,
        wins={
            one: {other: int(counts[i, j]) for j, other in enumerate(methods) if j != i}
            for i, one in enumerate(methods)
        },
        ranks=dict(zip(methods, significance.ranks(values).mean(0).tolist(), strict=True))
        if methods
        else {},
        friedman=significance.friedman(values) if enough else None,
        pairs=_pairs(values, methods, rope, seed) if enough else [],
    )


def in_common(results: Sequence[Result]) -> tuple[Common, list[Result]]:
    """The results on which all methods can be held against each other, and what these are.

    A problem counts if every method has a result on it, with the seeds that all of them have.
    Plain evaluations, which name no problem, count only where there is nothing else.
    """
    named = [result for result in results if result.problem]
    left_out = []
    if named and len(named) < len(results):
        left_out.append(f"{len(results) - len(named)} single evaluations, which name no problem")
    candidates = named or list(results)
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
        left_out += _without(problem, seeds_of)
    kept = [result for result in candidates if result.seed in seeds.get(result.problem, [])]
    return Common(seeds, len(by_problem), left_out), kept


def _without(problem: str, seeds_of: dict[str, set[int]]) -> Iterator[str]:
    """What of a problem does not count."""
    lacking = [method for method, seeds in seeds_of.items() if not seeds]
    if lacking:
        yield f"{problem}: no result of {_named(lacking)}"
        return
    if not set.intersection(*seeds_of.values()):
        yield f"{problem}: no seed that all methods have"
        return
    by_absent: dict[tuple[str, ...], list[int]] = {}
    for seed in sorted(set.union(*seeds_of.values())):
        absent = tuple(method for method, seeds in seeds_of.items() if seed not in seeds)
        if absent:
            by_absent.setdefault(absent, []).append(seed)
    for methods, seeds in by_absent.items():
        plural = "s" if len(seeds) > 1 else ""
        yield f"{problem}: seed{plural} {', '.join(map(str, seeds))}, without {_named(methods)}"


def _named(methods: Sequence[str], most: int = 5) -> str:
    more = len(methods) - most
    return ", ".join(methods[:most]) + (f" and {more} more" if more > 0 else "")


def in_words(common: Common) -> str:
    """Over how much the methods are compared."""
    numbers = sorted({len(seeds) for seeds in common.seeds.values()})
    words = f"over {len(common.seeds)} of {_number_of(common.of, 'problem')}"
    if not numbers:
        return words
    if len(numbers) == 1:
        return f"{words}, {_number_of(numbers[0], 'seed')}" + " each" * (len(common.seeds) > 1)
    return f"{words}, {numbers[0]} to {numbers[-1]} seeds each"


def _number_of(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _pairs(
    values: NDArray[np.float64], methods: list[str], rope: float, seed: int
) -> list[dict[str, Any]]:
    """A row a pair of the (n, k) scores, the smallest p first."""
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
                "first_better": chances[0],
                "alike": chances[1],
                "second_better": chances[2],
            }
        )
    return pairs
