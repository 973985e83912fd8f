"""What a comparison covers, in sentences: on the screen, in tables.md and in --json."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from imbsynth.store.names import number_of

MARK = "[overlap]"  # after the name of a method
METHODS_NAMED = 5  # in one sentence


def covered(compared: Mapping[str, Any]) -> str:
    """Over how many problems and seeds the methods are compared."""
    seeds = compared["seeds"]
    numbers = sorted({len(found) for found in seeds.values()})
    words = f"over {len(seeds)} of {number_of(compared['of'], 'problem')}"
    if not numbers:
        return words
    if len(numbers) == 1:
        each = " each" if len(seeds) > 1 else ""
        return f"{words}, {number_of(numbers[0], 'seed')}{each}"
    return f"{words}, {numbers[0]} to {numbers[-1]} seeds each"


def left_out(compared: Mapping[str, Any]) -> list[str]:
    """What is not compared and why, a sentence each."""
    return [_excluded(found) for found in compared["excluded"]]


def marked(row: Mapping[str, Any]) -> str:
    """The method of a summary, marked if its scores are not scores on new images."""
    return f"{row['method']} {MARK}" if row["overlap"] else row["method"]


def warning(rows: Iterable[Mapping[str, Any]]) -> str:
    """What the mark means; "" if no row has one."""
    marks = sum(row["overlap"] > 0 for row in rows)
    if not marks:
        return ""
    return (
        f"{MARK} not scores on new images: some test images are synthetic, or the classifier "
        "depends on them (evaluate --drop-overlap scores the others)"
    )


def p_value(p: float) -> str:
    """A p-value, which is never 0."""
    return "p < 0.0001" if p < 0.0001 else f"p = {p:.4f}"


def _excluded(found: Mapping[str, Any]) -> str:
    problem, methods, seeds = found["problem"], found["methods"], found["seeds"]
    if found["reason"] == "pretrained":
        return f"{number_of(found['results'], 'result')} of pretrained networks"
    if found["reason"] == "no problem named":
        return f"{found['results']} single evaluations, which name no problem"
    if found["reason"] == "different test images":
        return f"{found['results']} single evaluations, which are of different test images"
    if found["reason"] == "method missing":
        return f"{problem}: no result of {_named(methods)}"
    if found["reason"] == "no common seed":
        return f"{problem}: no seed that all methods have"
    plural = "s" if len(seeds) > 1 else ""
    return f"{problem}: seed{plural} {', '.join(map(str, seeds))}, without {_named(methods)}"


def _named(methods: Sequence[str]) -> str:
    more = len(methods) - METHODS_NAMED
    return ", ".join(methods[:METHODS_NAMED]) + (f" and {more} more" if more > 0 else "")
