"""What a comparison covers and what it shows, in sentences: for the screen, files and reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from imbsynth.core.significance import DIGITS
from imbsynth.engine.comparison.best import Best
from imbsynth.engine.comparison.evaluations import Evaluation
from imbsynth.engine.comparison.wording import between, listed, percent, points
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


def exclusions(compared: Mapping[str, Any]) -> list[str]:
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


def best_classifier(group: Sequence[Evaluation], best: Best | None) -> str:
    """Which of the evaluations of the same images is best, how good, and how clearly.

    best: of the group; None where there are no two to compare.
    """
    if best is None:
        one = next((found for found in group if found.comparable is not None), group[0])
    else:
        one = next(found for found in group if found.name == best.name)
    low, high = one.result.intervals["acsa"]
    score = (
        f"finds {percent(one.result.scores['acsa'])} % of the images of a class, on average "
        f"over the classes (95 % interval {between(low, high)})"
    )
    tested = "" if one.predictions is None else f" on {len(one.predictions)} test images"
    if best is None:
        return f"{one.name}{tested}: it {score}."
    first = f"Of {len(best.leads) + 1} classifiers, {one.name} did best{tested}"
    if equal := [lead.other for lead in best.leads if not round(lead.difference.value, DIGITS)]:
        return f"{first}, and {listed(equal)} equally well: {one.name} {score}. {_leads(best)}"
    return f"{first}: it {score}. {_leads(best)}"


def when_clear(rope: float) -> str:
    """What a clear lead is, and what its interval is over."""
    number = f"{100 * rope:g}"
    limit = f"{number} {'point' if number == '1' else 'points'}"
    return (
        f"A lead is clear if its whole interval is above {limit}. The intervals hold for all pairs "
        "together; how another training of the same method would score is not in them."
    )


def by_reason(found: Mapping[str, Sequence[str]]) -> list[str]:
    """What is left out, a sentence per reason. found: {reason: names}."""
    return [f"{_named(names)}: {reason}" for reason, names in found.items()]


def _leads(best: Best) -> str:
    """Over whom the lead is clear, and over whom it is not."""
    clear = [lead.other for lead in best.leads if lead.clear]
    unclear = [lead for lead in best.leads if not lead.clear]
    if not unclear:
        return f"It is clearly better than {listed(clear)}."
    shown = [
        f"{lead.other} ({points(lead.difference.value)} points, interval "
        f"{points(lead.difference.low)} to {points(lead.difference.high)})"
        for lead in unclear
    ]
    said = f"Whether it is better than {listed(shown)} is not clear."
    return f"It is clearly better than {listed(clear)}. {said}" if clear else said


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
