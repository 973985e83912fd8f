"""`imbsynth train-generator`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from imbsynth.cli.command import CommandSpec
from imbsynth.configs import TrainGeneratorConfig
from imbsynth.store.names import printable

if TYPE_CHECKING:
    from imbsynth.engine.train_generator import Report


def _summary(report: Report) -> None:
    losses = ", ".join(f"{name} {value:.4f}" for name, value in report.losses.items())
    heading = "diversity: mean distance of two synthetic images, by that of two real ones"
    lines = [
        f"{report.checkpoint}: {report.epochs} epochs, {losses}, "
        f"{report.images_per_second:.0f} images/s",
        heading,
        *(f"{_shown(value)}  {printable(name)}" for name, value in report.diversity.items()),
        f"look at {report.sheet}",
    ]
    typer.echo("\n".join(lines))


def _shown(diversity: float | None) -> str:
    return " " * 7 + "-" if diversity is None else f"{diversity:8.2f}"


COMMAND = CommandSpec(
    TrainGeneratorConfig,
    _summary,
    examples=(
        "photos/train --kind bagan --out bagan.safetensors",
        "photos/train --kind gamo --out gamo.safetensors --epochs 50 --resume",
    ),
)
