"""What `imbsynth experiment` prints."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import typer

from imbsynth.cli.console import table
from imbsynth.command_lines import command_line
from imbsynth.configs import AosTrainConfig, ExperimentConfig
from imbsynth.engine.experiment import Report
from imbsynth.engine.experiments.conclusions import conclusions, explanation
from imbsynth.engine.experiments.verdicts import with_interval
from imbsynth.options import parsed
from imbsynth.store.names import printable

CHECKPOINT = Path("winner.safetensors")
GROUPING = ("groups", "group_pattern")
CLASSES_SHOWN = 2  # in the table; the picture has all


def summary(report: Report) -> None:
    """Print the verdict on a folder, or else where every trial stands."""
    if report.verdicts:
        return _verdicts(report)
    for name, status in report.trials.items():
        typer.echo(f"{status:<10} {name}")
    counts = Counter(report.trials.values())
    typer.echo(", ".join(f"{n} {status}" for status, n in counts.items()) + f", in {report.out}")


def _verdicts(report: Report) -> None:
    rarest = list(report.verdicts[0].recalls)[:CLASSES_SHOWN]
    rows = []
    for found in report.verdicts:
        recalls = [
            with_interval(found.recalls[name], found.recall_intervals[name], 0) for name in rarest
        ]
        gain = ""
        if found.gain is not None and found.gain_interval is not None:
            gain = with_interval(found.gain, found.gain_interval, 1, "+")
        score = with_interval(found.acsa, found.interval, 1)
        rows.append([found.method, *recalls, score, gain, found.outcome])
    named = [f"{name} ({report.counts[name]})" for name in rarest]
    table(["", *named, "ACSA", "gain", ""], rows)
    typer.echo(f"\n{explanation(report.verdicts)}")
    for line in conclusions(report.verdicts, report.counts):
        typer.echo(printable(line))
    if report.pictures:
        typer.echo(f"look at {', '.join(report.pictures)}")
    if report.checkpoint:
        typer.echo(f"{report.winner}, trained on the whole folder: {report.checkpoint}")
    else:
        typer.echo(f"{report.winner} has the highest ACSA; to train it on the whole folder:")
        typer.echo(f"  {_training_command(report)}")


def _training_command(report: Report) -> str:
    """The winner's own command, or where it takes several, the one that runs them all."""
    if report.training.keys() == {"aos-train"}:
        options = report.training["aos-train"]
        src = Path(report.asked["on"])
        groups = {name: report.asked[name] for name in GROUPING if name in report.asked}
        return command_line(AosTrainConfig(src=src, out=CHECKPOINT, **options, **groups))
    asked = parsed(ExperimentConfig, report.asked)
    return command_line(ExperimentConfig(train_winner=CHECKPOINT, **asked))
