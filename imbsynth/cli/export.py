"""`imbsynth export`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from imbsynth.cli.command import CommandSpec
from imbsynth.configs import ExportConfig

if TYPE_CHECKING:
    from imbsynth.engine.export import Report


def _summary(report: Report) -> None:
    shape = ", ".join(["n", *map(str, report.shape)])
    typer.echo(
        f"images: float32 in [0, 1] of shape ({shape})\n"
        f"probabilities: {len(report.classes)} classes, whose names are in the metadata\n"
        f"written to {report.out}"
    )


COMMAND = CommandSpec(
    ExportConfig,
    _summary,
    examples=(
        "clf.safetensors --to onnx --out clf.onnx",
        "clf.safetensors --to torchscript --out clf.pt",
    ),
)
