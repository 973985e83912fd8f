"""`imbsynth audit`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from imbsynth.cli.command import CommandSpec
from imbsynth.cli.console import table
from imbsynth.command_lines import flag
from imbsynth.configs import AuditConfig

if TYPE_CHECKING:
    from imbsynth.engine.audit import Report

PASSED_A_LIMIT = 3  # the exit code
WAYS = {
    "max_auroc": "generate --ae AE.safetensors --min-change 0.03 (with residual decoding, the "
    "default) makes images that are harder to tell from real ones",
    "min_fidelity": "generate --min-probability 0.5 keeps images that look like their class",
    "max_near_copies": "generate --min-probability leaves near-copies out; a larger --k-neighbors "
    "or another --method makes fewer",
}
_COLUMNS = {
    "real": "real",
    "synthetic": "synthetic",
    "probe_auroc": "probe AUROC",
    "label_fidelity": "named right",
    "real_fidelity": "real named right",
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
    limits = ", ".join(f"{flag(name)} {value:g}" for name, value in report.limits.items())
    typer.echo(f"verdict: {report.verdict} (limits: {limits})")
    for failure, limit in zip(report.failures, report.limits_passed, strict=True):
        typer.echo(f"- {failure}\n  {_way_out(report, limit)}")
    if report.out:
        typer.echo(f"look at {report.out}/audit.png")


def _way_out(report: Report, limit: str) -> str:
    """What helps where a limit is passed."""
    if limit == "max_near_copies" and report.copies:
        return (
            "copies are what --method ros makes, so they always are: to check the rest, give "
            "--max-near-copies 1"
        )
    if limit == "max_auroc":
        most = max(report.probe_by, key=lambda name: report.probe_by[name])
        return f"they differ most in {most}; {WAYS[limit]}"
    return WAYS[limit]


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
