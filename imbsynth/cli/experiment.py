"""`imbsynth experiment`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import typer

from imbsynth.cli.command import CommandSpec
from imbsynth.cli.console import table
from imbsynth.configs import ExperimentConfig

if TYPE_CHECKING:
    from imbsynth.engine.experiment import Report

SHOWN = 2  # classes in the table; the picture has all


def _summary(report: Report) -> None:
    if report.verdicts:
        return _verdicts(report)
    for name, status in report.cells.items():
        typer.echo(f"{status:<10} {name}")
    counts = Counter(report.cells.values())
    typer.echo(", ".join(f"{n} {status}" for status, n in counts.items()) + f", in {report.out}")


def _verdicts(report: Report) -> None:
    rarest = list(report.verdicts[0].recalls)[:SHOWN]
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
    typer.echo(
        "\nIn percent, with 95 % intervals: recall of the rarest classes (in brackets how many\n"
        "images they have) and ACSA, over all images, each tested once. P(better): the chance\n"
        "that a method beats plain training with the same augmentation by more than a point of\n"
        "ACSA, and that augmentation alone does. Of nine such comparisons, one may seem sure by\n"
        "chance."
    )
    sure = [found for found in report.verdicts if found.words in ("helps", "hurts")]
    for found in sure:
        typer.echo(f"{found.method} {found.words}")
    if not sure:
        typer.echo("Nothing surely helps or hurts: more images, or a larger --budget, may tell.")
    typer.echo(f"look at {', '.join(report.pictures)}")


def _percent(value: float, interval: tuple[float, float], digits: int) -> str:
    low, high = (f"{100 * end:.{digits}f}" for end in interval)
    return f"{100 * value:.{digits}f} [{low}, {high}]"


COMMAND = CommandSpec(
    ExperimentConfig,
    _summary,
    examples=(
        "--on photos --out verdict",
        "experiments/aos-mnist.yaml --data data --out results --dry-run",
        "experiments/aos-mnist.yaml --data data --out results --shard 2/8",
    ),
)
