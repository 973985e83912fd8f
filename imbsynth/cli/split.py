"""`imbsynth split`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from imbsynth.cli.command import CommandSpec
from imbsynth.configs import SplitConfig

if TYPE_CHECKING:
    from imbsynth.engine.split import Report


def _summary(report: Report) -> None:
    for part, counts in report.counts.items():
        typer.echo(f"{report.out}/{part}: {sum(counts.values())} images")


COMMAND = CommandSpec(
    SplitConfig,
    _summary,
    examples=(
        "photos parts --fractions 0.8,0.1,0.1",
        "photos folds --folds 5 --link hard",
    ),
)
