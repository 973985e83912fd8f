"""Contenders in turns within one run, and the ratio of what they took, pair by pair."""

from __future__ import annotations

import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple


class Taken(NamedTuple):
    """What a piece of work took."""

    seconds: float  # of the clock
    processor: float  # seconds of all threads and of ended children: a busy machine hardly counts


def taken(work: Callable[[], object]) -> Taken:
    """Do it once."""
    before, start = _processor(), time.perf_counter()
    work()
    return Taken(time.perf_counter() - start, _processor() - before)


def _processor() -> float:
    both = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def command(words: Sequence[str]) -> Callable[[], object]:
    """The work of running a command, which must succeed."""
    return lambda: subprocess.run(
        words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def in_turns(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[Taken]]:
    """Each way once a round, the order turned round every other round; one round unmeasured."""
    times: dict[str, list[Taken]] = {name: [] for name in ways}
    for way in ways.values():
        way()
    for number in range(rounds):
        for name in list(ways)[:: -1 if number % 2 else 1]:
            times[name].append(taken(ways[name]))
    return times


def rate(times: Sequence[Taken], amount: float) -> dict[str, float]:
    """`amount` a second of the clock, and a second of processor time: medians."""
    return {
        "a_second": _rounded(statistics.median(amount / one.seconds for one in times)),
        "a_processor_second": _rounded(statistics.median(amount / one.processor for one in times)),
    }


def times_as_long(slow: Sequence[Taken], fast: Sequence[Taken]) -> dict[str, Any]:
    """The ratio of each pair: its median, lowest and highest, by the clock and by processor."""
    result = {}
    for name in Taken._fields:
        pairs = zip(slow, fast, strict=True)
        ratios = [getattr(one, name) / getattr(other, name) for one, other in pairs]
        result[name] = {
            "median": _rounded(statistics.median(ratios)),
            "spread": [_rounded(min(ratios)), _rounded(max(ratios))],
        }
    return result


def _rounded(value: float) -> float:
    """To four digits."""
    return float(f"{value:.4g}")
