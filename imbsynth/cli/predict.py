"""`imbsynth predict`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from imbsynth.cli.command import CommandSpec
from imbsynth.cli.console import class_table
from imbsynth.configs import PredictConfig

if TYPE_CHECKING:
    from imbsynth.engine.predict import Report


def _summary(report: Report) -> None:
    class_table(report.counts)
    typer.echo(f"\n{report.images} images, by predicted class; in {report.out}/predictions.csv")
    if report.sorted_into is not None:
        typer.echo(f"sorted into {report.sorted_into}")
    typer.echo(f"look at {report.out}/least_certain.png first")


COMMAND = CommandSpec(
    PredictConfig,
    _summary,
    examples=(
        "clf.safetensors unlabelled --out predicted",
        "clf.safetensors new/*.jpg --out predicted --sort-into by-class",
    ),
)
