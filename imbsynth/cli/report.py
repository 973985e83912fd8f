"""`imbsynth report`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from imbsynth.cli.command import CommandSpec
from imbsynth.configs import ReportConfig
from imbsynth.store.names import printable

if TYPE_CHECKING:
    from imbsynth.engine.report import Report


def _summary(report: Report) -> None:
    typer.echo(printable(report.best))
    if report.problems:
        typer.echo(f"not in the report: {len(report.problems)} files or folders, which it names")
    typer.echo(f"open {report.out} in a browser")


COMMAND = CommandSpec(
    ReportConfig,
    _summary,
    examples=("results --out report.html", "verdict --out verdict/report.html --force"),
)
