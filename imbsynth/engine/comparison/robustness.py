"""How a metric falls as the imbalance grows: which results make one curve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from imbsynth.engine.comparison.stored import Result
from imbsynth.engine.comparison.summaries import tabulate
from imbsynth.figures.robustness import RobustnessPanel

RHO, MU = "imbalance ratio rho", "share of minority classes mu"
APART = 1.02  # times: closer ratios are one, since those of different folds differ by an image


def panels(results: Sequence[Result], metric: str) -> list[RobustnessPanel]:
    """A panel per data set (and test set) over rho, or over mu if only mu varies.

    If both vary, a panel per mu. If two imbalances have the same ratio (as two profiles may), the
    results make no curve, and there is no panel.
    """
    sources = dict.fromkeys(result.source for result in results)
    found: list[RobustnessPanel] = []
    for source in sources:
        found += _of_source([result for result in results if result.source == source], metric)
    return found


def _of_source(results: list[Result], metric: str) -> list[RobustnessPanel]:
    if any(result.rho is None or result.mu is None for result in results):
        return []
    source = results[0].source
    for axis, value in ((RHO, _rho), (MU, _mu)):
        if _distinct(list(_by_problem(results, value).values())):
            return [_panel(results, metric, source, axis, value)]
    found = []
    mus = {problem: round(mu, 2) for problem, mu in _by_problem(results, _mu).items()}
    for mu in sorted(set(mus.values())):
        same_mu = [result for result in results if mus[result.problem] == mu]
        if _distinct(list(_by_problem(same_mu, _rho).values())):
            found.append(_panel(same_mu, metric, f"{source}, mu {mu:g}", RHO, _rho))
    return found


def _rho(result: Result) -> float:
    return result.rho or 1.0


def _mu(result: Result) -> float:
    return result.mu or 0.0


def _by_problem(results: list[Result], value: Callable[[Result], float]) -> dict[str, float]:
    """The mean over methods and seeds: folds and random draws differ by an image."""
    problems = dict.fromkeys(result.problem for result in results)
    return {
        problem: float(np.mean([value(r) for r in results if r.problem == problem]))
        for problem in problems
    }


def _distinct(values: list[float]) -> bool:
    """Whether there are at least two values, and all differ."""
    return len(values) > 1 and all(b > APART * a for a, b in pairwise(sorted(values)))


def _panel(
    results: list[Result],
    metric: str,
    title: str,
    axis: str,
    value: Callable[[Result], float],
) -> RobustnessPanel:
    x = _by_problem(results, value)
    table = tabulate(sorted(results, key=lambda result: x[result.problem]), metric)
    lines = {}
    for method in dict.fromkeys(result.method for result in results):
        column = table.methods.index(method)
        lines[method] = table.mean[:, column], table.spread[:, column]
    at = np.array([x[problem] for problem in table.problems])
    return RobustnessPanel(title, axis, axis == RHO, at, lines)
