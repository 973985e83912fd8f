"""What `imbsynth experiment` prints."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import typer

from imbsynth.cli.console import table
from imbsynth.cli.wording import command_line
from imbsynth.configs import AosTrainConfig, ExperimentConfig
from imbsynth.engine.experiment import Report
from imbsynth.engine.experiments.verdicts import Verdict
from imbsynth.options import parsed

CHECKPOINT = Path("winner.safetensors")
CLASSES_SHOWN = 2  # in the table; the picture has all
EXPLANATION = """
In percent, with 95 % intervals: recall of the rarest classes (in brackets their number of images)
and ACSA, over all images, each tested once. Gain: points of ACSA over plain training with the same
augmentation (plain training with augmentation: over that without), image by image. A method helps
if the whole interval of its gain is above one point."""


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
            _percent(found.recalls[name], found.recall_intervals[name], 0) for name in rarest
        ]
        gain = ""
        if found.gain is not None and found.gain_interval is not None:
            gain = _percent(found.gain, found.gain_interval, 1, "+")
        score = _percent(found.acsa, found.interval, 1)
        rows.append([found.method, *recalls, score, gain, found.words])
    named = [f"{name} ({report.counts[name]})" for name in rarest]
    table(["", *named, "ACSA", "gain", ""], rows)
    typer.echo(EXPLANATION)
    for line in _conclusions(report.verdicts, report.counts):
        typer.echo(line)
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
        return command_line(AosTrainConfig(src=src, out=CHECKPOINT, **options))
    asked = parsed(ExperimentConfig, report.asked)
    return command_line(ExperimentConfig(train_winner=CHECKPOINT, **asked))


def _conclusions(verdicts: list[Verdict], counts: dict[str, int]) -> list[str]:
    """What is certain; or what it would take to be."""
    certain = [
        f"{found.method} {found.words}" for found in verdicts if found.words in ("helps", "hurts")
    ]
    if certain:
        return certain
    lines = ["No method certainly helps or hurts; a larger --budget may show more."]
    unclear = [found for found in verdicts if found.wanted]
    if unclear:
        found = max(unclear, key=lambda verdict: abs(verdict.gain or 0))
        lines.append(
            f"Whether {found.method} makes a difference, if it is as large as it seems, would be "
            f"clear with about {_more_images(found.wanted, counts)}."
        )
    return lines


def _more_images(wanted: dict[str, int], counts: dict[str, int]) -> str:
    if len(wanted) == 1:
        ((name, more),) = wanted.items()
        return f"{more} more images of class {name}"
    times = 1 + sum(wanted.values()) / sum(counts[name] for name in wanted)
    return f"{times:.2g} times as many images of every class"


def _percent(value: float, interval: tuple[float, float], digits: int, sign: str = "") -> str:
    low, high = (f"{100 * end:{sign}.{digits}f}" for end in interval)
    return f"{100 * value:{sign}.{digits}f} [{low}, {high}]"
