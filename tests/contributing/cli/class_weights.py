"""`imbsynth class-weights`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from imbsynth.cli.command import CommandSpec
from tests.contributing.configs.class_weights import ClassWeightsConfig

if TYPE_CHECKING:
    from tests.contributing.engine.class_weights import Report


def _summary(report: Report) -> None:
    for name, weight in report.weights.items():
        typer.echo(f"{weight:8.4f}  {name}")


COMMAND = CommandSpec(ClassWeightsConfig, _summary, examples=("photos/train --beta 0.99",))
