"""`imbsynth evaluate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from imbsynth.cli.command import CommandSpec
from imbsynth.cli.console import bar, table
from imbsynth.configs import EvaluateConfig
from imbsynth.store.names import printable

if TYPE_CHECKING:
    from imbsynth.engine.evaluate import Report

RARE = 0.1  # of the largest class's training images: classes below stand out in the table


def _summary(report: Report) -> None:
    rows = sorted(report.per_class.items(), key=lambda item: -item[1]["trained"])
    largest = rows[0][1]["trained"]
    rare = {i for i, (_, found) in enumerate(rows) if found["trained"] < RARE * largest}
    table(
        ["class", "trained on", "tested on", "precision", "F1", "recall", ""],
        [
            [
                name,
                f"{found['trained']}",
                f"{found['support']}",
                f"{found['precision']:.3f}",
                f"{found['f1']:.3f}",
                f"{found['recall']:.3f}",
                bar(found["recall"], width=16),
            ]
            for name, found in rows
        ],
        bold=rare,
    )
    typer.echo(f"\n{report.images} images; 95 % intervals in brackets")
    for score, words in WORDS.items():
        low, high = report.intervals[score]
        typer.echo(f"{words:<27} {getattr(report, score):.4f}  [{low:.4f}, {high:.4f}]")
    right = sum(row[k] for k, row in enumerate(report.confusion))
    typer.echo(f"{'accuracy, by image':<27} {right / report.images:.4f}")
    if report.tau or report.temperature != 1:
        typer.echo(f"logits divided by {report.temperature:g}; tau {report.tau:g}")
    for name, threshold in report.thresholds.items():
        typer.echo(f"threshold of {printable(name)}: {threshold:.3g}")
    for reason, n in report.dropped.items():
        typer.echo(f"left out: {n} {reason}")
    for reason, n in report.overlap.items():
        typer.echo(f"not scores on new images: {n} {reason}")
    if report.out is not None:
        typer.echo(f"look at {report.out}/confusion.png and the pictures beside it")
        if right == report.images:
            typer.echo("no mistakes, so there is no mistakes.png")


WORDS = {
    "acsa": "ACSA, mean recall",
    "gm": "GM, recall and specificity",
    "g_mean": "G-mean of the recalls",
    "f1_macro": "macro F1",
    "mcc": "Matthews correlation",
    "kappa": "Cohen's kappa",
    "auroc_macro": "macro AUROC",
    "ece": "calibration error (ECE)",
    "brier": "Brier score",
}


COMMAND = CommandSpec(
    EvaluateConfig,
    _summary,
    examples=(
        "clf.safetensors photos/test",
        "clf.safetensors photos/test --out results/aos",
    ),
)
