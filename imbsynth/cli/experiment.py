"""`imbsynth experiment`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imbsynth.cli.command import CommandSpec
from imbsynth.configs import ExperimentConfig

if TYPE_CHECKING:
    from imbsynth.engine.experiment import Report


def _summary(report: Report) -> None:
    from imbsynth.cli.experiment_summary import summary

    summary(report)


COMMAND = CommandSpec(
    ExperimentConfig,
    _summary,
    examples=(
        "--on photos --out verdict",
        "experiments/aos-mnist.yaml --data data --out results --dry-run",
        "experiments/aos-mnist.yaml --data data --out results --shard 2/8",
    ),
)
