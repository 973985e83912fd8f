"""`imbsynth imbalance`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from imbsynth.cli.command import CommandSpec
from imbsynth.cli.console import class_table
from imbsynth.configs import ImbalanceConfig

if TYPE_CHECKING:
    from imbsynth.engine.imbalance import Report


def _summary(report: Report) -> None:
    class_table(report.counts)
    typer.echo(
        f"\n{report.images} images, largest / smallest (rho) {report.rho:.4g}, share of minority "
        f"classes (mu) {report.mu:.2g}, in {report.out}"
    )


COMMAND = CommandSpec(
    ImbalanceConfig,
    _summary,
    examples=(
        "mnist/train rare --counts 4000,2000,1000,750,500,350,200,100,60,40",
        "cifar/train rare --profile exp --ratio 100 --link hard",
        "cifar/train rare --ratio 50 --minority-fraction 0.8",
    ),
)
