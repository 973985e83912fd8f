"""`imbsynth aos-train`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from imbsynth.cli.command import CommandSpec
from imbsynth.configs import AosTrainConfig

if TYPE_CHECKING:
    from imbsynth.engine.aos_train import Report


def _summary(report: Report) -> None:
    val = report.val
    typer.echo(
        f"{report.checkpoint}: epoch {report.best_epoch} of {report.epochs}, on the validation "
        f"images macro F1 {val['f1_macro']:.4f}, ACSA {val['acsa']:.4f}, "
        f"G-mean {val['g_mean']:.4f}; {report.seconds_per_epoch:.1f} s per epoch"
    )
    typer.echo(f"look at {report.curves}")


COMMAND = CommandSpec(
    AosTrainConfig,
    _summary,
    examples=(
        "photos/train --out clf.safetensors",
        "photos/train --val photos/val --out clf.safetensors --oversample ros "
        "--model resnet18 --augment flip-crop --epochs 50",
        "photos/train --out clf.safetensors --model mobilenet_v2 --pretrained auto --freeze",
        "photos/train --out clf.safetensors --recipe strong --model resnet32 --epochs 200",
    ),
    several=True,
)
