"""`imbsynth convert`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from imbsynth.cli.command import CommandSpec
from imbsynth.configs import ConvertConfig

if TYPE_CHECKING:
    from imbsynth.engine.convert import Report


def _summary(report: Report) -> None:
    changes = {
        "resized": report.resized,
        "made gray": report.made_gray,
        "made RGB": report.made_rgb,
        "put on black": report.composited,
        "left out as unreadable": len(report.skipped),
    }
    words = "".join(f", {n} {change}" for change, n in changes.items() if n)
    typer.echo(f"{report.out}: {report.images} images{words}")


COMMAND = CommandSpec(
    ConvertConfig,
    _summary,
    examples=(
        "photos small --image-size 64 --fit crop",
        "photos gray --channels 1 --format jpg",
    ),
)
