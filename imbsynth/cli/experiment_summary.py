"""What `imbsynth experiment` prints."""

from __future__ import annotations

from collections import Counter

import typer

from imbsynth.cli.console import table
from imbsynth.engine.experiment import Report

CLASSES_SHOWN = 2  # in the table; the picture has all
EXPLANATION = """
In percent, with 95 % intervals: recall of the rarest classes (in brackets their number of images)
and ACSA, over all images, each tested once. P(better): the probability that a method is better by
more than one point of ACSA than plain training with the same augmentation, and for plain training
with augmentation, than without. Of nine such comparisons, one may seem certain by chance."""


def summary(report: Report) -> None:
    """Print the verdict on a folder, or else where every trial stands."""
    if report.verdicts:
        return _verdicts(report)
    for name, status in report.trials.items():
        typer.echo(f"{status:<10} {name}")
    counts = Counter(report.trials.values())
    typer.echo(", ".join(f"{n} {status}" for status, n in counts.items()) + f", in {report.out}")


def _verdicts(report: Report) -> None:
    rarest = list(report.verdicts[0].recalls)[:CLASSES_SHOWN]
    rows = []
    for found in report.verdicts:
        recalls = [
            _percent(found.recalls[name], found.recall_intervals[name], 0) for name in rarest
        ]
        chance = "" if found.better is None else f"{found.better:.2f}"
        score = _percent(found.acsa, found.interval, 1)
        rows.append([found.method, *recalls, score, chance, found.words])
    named = [f"{name} ({report.counts[name]})" for name in rarest]
    table(["", *named, "ACSA", "P(better)", ""], rows)
    typer.echo(EXPLANATION)
    certain = [found for found in report.verdicts if found.words in ("helps", "hurts")]
    for found in certain:
        typer.echo(f"{found.method} {found.words}")
    if not certain:
        typer.echo(
            "No method certainly helps or hurts: more images, or a larger --budget, may show more."
        )
    typer.echo(f"look at {', '.join(report.pictures)}")


def _percent(value: float, interval: tuple[float, float], digits: int) -> str:
    low, high = (f"{100 * end:.{digits}f}" for end in interval)
    return f"{100 * value:.{digits}f} [{low}, {high}]"
