"""`imbsynth generate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from imbsynth.cli.command import CommandSpec
from imbsynth.cli.console import class_table
from imbsynth.configs import GenerateConfig

if TYPE_CHECKING:
    from imbsynth.engine.generate import Report


def _summary(report: Report) -> None:
    class_table(report.counts, report.added)
    typer.echo(
        f"\n{sum(report.added.values())} synthetic images, {report.images_per_second:.0f} a "
        f"second, in {report.out}"
    )
    dropped = sum(sum(reasons.values()) for reasons in report.dropped.values())
    if dropped:
        typer.echo(f"{dropped} images more were drawn and dropped by the filter")
    if report.samples:
        typer.echo(f"look at {report.samples}")


COMMAND = CommandSpec(
    GenerateConfig,
    _summary,
    examples=(
        "photos/train balanced --ae ae.safetensors",
        "photos/train balanced --method ros --to 500",
    ),
    several=True,
)
