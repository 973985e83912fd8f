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
    looked = any(value is not None for value in report.novelty.values())
    rows = [
        [
            _shown(diversity),
            *([_shown(report.novelty[name])] if looked else []),
            printable(name),
        ]
        for name, diversity in report.diversity.items()
    ]
    lines = [
        f"{report.checkpoint}: {report.epochs} epochs, {losses}, "
        f"{report.images_per_second:.0f} images/s",
        "diversity: mean distance of two synthetic images, by that of two real ones; 1 is as "
        "varied as these",
    ]
    if looked:
        lines.append(
            "novelty: median distance to the nearest training image, by that of real images that "
            "were held out; far below 1 are near-copies"
        )
    lines += [" ".join(row) for row in rows]
    typer.echo("\n".join([*lines, f"look at {report.sheet}"]))


def _shown(value: float | None) -> str:
    return " " * 7 + "-" if value is None else f"{value:8.2f}"


COMMAND = CommandSpec(
    TrainGeneratorConfig,
    _summary,
    examples=(
        "photos/train --kind bagan --out bagan.safetensors",
        "photos/train --kind gamo --out gamo.safetensors --epochs 50 --resume",
        "photos/train --kind flow --out flow.safetensors --network large --flip",
    ),
    several=True,
)
