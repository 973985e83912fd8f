"""`imbsynth train-ae`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from imbsynth.cli.command import CommandSpec
from imbsynth.configs import TrainAeConfig

if TYPE_CHECKING:
    from imbsynth.engine.train_ae import Report


def _summary(report: Report) -> None:
    from imbsynth.store.names import number_of

    typer.echo(
        f"{report.checkpoint}: {number_of(report.epochs, 'epoch')}, reconstruction loss "
        f"{report.recon_loss:.5f}, penalty loss {report.penalty_loss:.5f}, "
        f"{report.images_per_second:.0f} images/s"
    )
    if report.reconstruction is not None:
        typer.echo(
            "reconstructions: mean squared error {loss:.5f}, of the mean image {mean_image:.5f}; "
            "principal components that do as well: {components}".format_map(report.reconstruction)
        )
    typer.echo(f"look at {report.sheet}")


COMMAND = CommandSpec(
    TrainAeConfig,
    _summary,
    examples=(
        "photos/train --out ae.safetensors --epochs 100",
        "photos/train --out ae.safetensors --image-size 64 --resume",
    ),
    several=True,
)
