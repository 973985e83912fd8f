"""`imbsynth audit`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from imbsynth.cli.command import CommandSpec
from imbsynth.cli.console import table
from imbsynth.configs import AuditConfig

if TYPE_CHECKING:
    from imbsynth.engine.audit import Report

PASSED_A_LIMIT = 3  # the exit code
_COLUMNS = {
    "real": "real",
    "synthetic": "synthetic",
    "probe_auroc": "probe AUROC",
    "label_fidelity": "named right",
    "real_fidelity": "real ones",
    "near_copies": "near-copies",
    "frechet": "Fréchet",
    "coverage": "coverage",
}


def _summary(report: Report) -> None:
    rows = [
        [name, *(_cell(column, numbers.get(column)) for column in _COLUMNS)]
        for name, numbers in report.per_class.items()
    ]
    table(["class", *_COLUMNS.values()], rows)
    by = ", ".join(f"by {name} {area:.2f}" for name, area in report.probe_by.items())
    typer.echo(f"\nprobe AUROC: {report.probe_auroc:.2f} ({by})")
    for failure in report.failures:
        typer.echo(failure)
    typer.echo(f"verdict: {report.verdict}")
    if report.out:
        typer.echo(f"look at {report.out}/audit.png")


def _cell(column: str, value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if column in ("real", "synthetic") else f"{value:.3f}"


def _exit_code(report: Report) -> int:
    return PASSED_A_LIMIT if report.failures else 0


COMMAND = CommandSpec(
    AuditConfig,
    _summary,
    examples=("balanced --out audit", "photos/train synthetic --max-auroc 0.7 --json"),
    exit_code=_exit_code,
)
