"""`imbsynth compare`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imbsynth.cli.command import CommandSpec
from imbsynth.configs import CompareConfig

if TYPE_CHECKING:
    from imbsynth.engine.compare import Report


def _summary(report: Report) -> None:
    from imbsynth.cli.compare_summary import summary

    summary(report)


COMMAND = CommandSpec(
    CompareConfig,
    _summary,
    examples=(
        "results",
        "experiment --metric f1_macro --out tables",
    ),
    runner="imbsynth.cli.compare_summary:run",
)
