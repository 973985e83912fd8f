"""`imbsynth fid`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from imbsynth.cli.command import CommandSpec
from imbsynth.cli.console import table
from imbsynth.configs import FidConfig

if TYPE_CHECKING:
    from imbsynth.engine.fid import Report


def _summary(report: Report) -> None:
    """A row per class, then their mean and all images together."""
    from imbsynth.engine.fid import SMALL, is_small
    from imbsynth.store.names import printable

    label = f"{report.metric} ({report.features})"
    shown = ["kid", "precision", "recall", "density", "coverage"]
    pooled = {
        "fid": report.fid,
        "n_real": report.n_real,
        "n_fake": report.n_fake,
        **{name: getattr(report, name) for name in [*shown, "kid_std"]},
    }
    columns = [name for name in shown if pooled[name] is not None]
    rows = [
        [
            name,
            *(_cell(numbers, column) for column in ["n_real", "n_fake", "fid", *columns]),
            f"n < {SMALL:,}: too high" if is_small(numbers) else "",
        ]
        for name, numbers in [*report.per_class.items(), ("all images", pooled)]
    ]
    table(["class", "REAL", "FAKE", label, *columns, ""], rows)
    for name, why in report.left_out.items():
        typer.echo(f"{printable(name)}: {why}, left out")
    if report.class_mean is not None:
        typer.echo(f"\nmean of {len(report.per_class)} classes: {label} {report.class_mean:.4f}")
    typer.echo(f"all images: {label} {report.fid:.4f}")
    if report.plot:
        typer.echo(f"look at {report.plot}")


def _cell(numbers: dict[str, float], column: str) -> str:
    if numbers.get(column) is None:
        return ""
    if column.startswith("n_"):
        return str(int(numbers[column]))
    if column == "kid":
        return f"{numbers['kid']:.5f} ± {numbers['kid_std']:.5f}"
    return f"{numbers[column]:.4f}"


COMMAND = CommandSpec(
    FidConfig,
    _summary,
    examples=(
        "photos/train balanced --kid",
        "balanced --features ae.safetensors --plot fid.png",
    ),
    several=True,
)
