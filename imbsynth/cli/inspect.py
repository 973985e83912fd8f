"""`imbsynth inspect`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import typer

from imbsynth.cli.command import CommandSpec
from imbsynth.cli.console import class_table
from imbsynth.configs import InspectConfig

if TYPE_CHECKING:
    from imbsynth.engine.inspect import Report

NEAR = {
    "within": "in one class",
    "across": "in two classes",
    "against": "in both folders",
}
LISTED, SIZES = 10, 5  # files or groups, and sizes, shown in words; --json has all


def _summary(report: Report) -> None:
    from imbsynth.store.names import number_of, printable

    class_table(report.counts, report.synthetic if any(report.synthetic.values()) else None)
    typer.echo(
        f"\n{report.images} images in {len(report.counts)} classes; largest / smallest "
        f"(rho) {report.rho:.4g}; share of minority classes (mu) {report.mu:.2g}"
    )
    if report.level:
        typer.echo(f"one level too high? {report.level}")
    typer.echo(f"sizes: {_sizes(report.sizes)}")
    typer.echo("stored as: " + ", ".join(f"{mode} ({n})" for mode, n in report.modes.items()))
    if report.ignored:
        files = number_of(report.ignored, "file")
        typer.echo(f"ignored: {files}, hidden or no image")
    if report.transparent:
        typer.echo(f"transparent, and put on black: {number_of(report.transparent, 'image')}")
    if report.repeated:
        typer.echo(f"repeated: {report.repeated} further copies of an image within its class")
    _list("unreadable", [f"{printable(p)}: {why}" for p, why in report.reasons.items()])
    if report.reasons:
        typer.echo("  repair or remove them, or leave them out later with --skip-unreadable")
    _list("in two classes", [" = ".join(map(printable, group)) for group in report.duplicates])
    _list("in both folders", [" = ".join(map(printable, pair)) for pair in report.in_both])
    for kind, near in report.near_duplicates.items():
        lines = [
            f"{pair.similarity:.4f}  {' ~ '.join(map(printable, pair.files))}"
            for pair in near.pairs[:LISTED]
        ]
        _list(f"nearly the same, {NEAR[kind]}", lines, near.count)
    if report.plot:
        typer.echo(f"look at {report.plot}")


def _sizes(sizes: dict[str, int]) -> str:
    """The commonest sizes, and between which two the others are."""
    shown = [f"{size} ({n})" for size, n in list(sizes.items())[:SIZES]]
    rest = len(sizes) - len(shown)
    if rest <= 0:
        return ", ".join(shown)
    by_area = sorted(sizes, key=lambda size: math.prod(map(int, size.split("x"))))
    return f"{', '.join(shown)} and {rest} more, from {by_area[0]} to {by_area[-1]}"


def _list(heading: str, lines: list[str], count: int | None = None) -> None:
    """Show the first lines; count: how many there are, if not all are given."""
    total = len(lines) if count is None else count
    if lines or count is not None:
        typer.echo(f"{heading}: {total}")
    for line in lines[:LISTED]:
        typer.echo(f"  {line}")
    if total > LISTED:
        typer.echo(f"  and {total - LISTED} more: see --json")


COMMAND = CommandSpec(
    InspectConfig,
    _summary,
    examples=("photos/train", "photos/train --near-duplicates --against photos/test"),
)
