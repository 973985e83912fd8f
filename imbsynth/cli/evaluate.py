"""`imbsynth evaluate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imbsynth.cli.console import bar, execute, table
from imbsynth.cli.options import (
    Config,
    Device,
    Force,
    Json,
    PrecisionOption,
    Quiet,
    Seed,
    SkipUnreadable,
)
from imbsynth.configs import EvaluateConfig

if TYPE_CHECKING:
    from imbsynth.engine.evaluate import Report

RARE = 0.1  # of the largest class's training images: classes below stand out in the table


def evaluate(
    checkpoint: Annotated[
        Path,
        typer.Argument(metavar="CLF", help="Checkpoint written by aos-train.", show_default=False),
    ],
    src: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="Folder of real images that it has not seen.", show_default=False
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder to make, with metrics.json, predictions.csv and confusion.png.",
            show_default=False,
        ),
    ] = EvaluateConfig.out,
    allow_overlap: Annotated[
        bool,
        typer.Option(
            "--allow-overlap",
            help="Count synthetic images, and images that the classifier was trained on, too.",
        ),
    ] = EvaluateConfig.allow_overlap,
    draws: Annotated[
        int, typer.Option(help="Test sets drawn anew for the intervals.")
    ] = EvaluateConfig.draws,
    batch_size: Annotated[
        int, typer.Option(help="Images classified at once.")
    ] = EvaluateConfig.batch_size,
    precision: PrecisionOption = EvaluateConfig.precision,
    skip_unreadable: SkipUnreadable = EvaluateConfig.skip_unreadable,
    seed: Seed = EvaluateConfig.seed,
    device: Device = EvaluateConfig.device,
    force: Force = EvaluateConfig.force,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Score a classifier on real images: each class, and all classes counted alike.

    ACSA is the mean recall; GM the root of mean recall times mean specificity; G-mean the
    geometric mean of the recalls, 0 if a class is never found. In brackets: where 95 % of test
    sets drawn anew from this one lie. Classes with few training images come last, in bold.

    Example: imbsynth evaluate clf.safetensors photos/test

    Example: imbsynth evaluate clf.safetensors photos/test --out results/aos
    """
    from imbsynth.engine.evaluate import run

    settings = EvaluateConfig(
        checkpoint=checkpoint,
        src=src,
        out=out,
        allow_overlap=allow_overlap,
        draws=draws,
        batch_size=batch_size,
        precision=precision,
        skip_unreadable=skip_unreadable,
        seed=seed,
        device=device,
        force=force,
    )
    execute(run, settings, quiet=quiet, json=json, summary=_summary)


def _summary(report: "Report") -> None:
    rows = sorted(report.per_class.items(), key=lambda item: -item[1]["trained"])
    largest = rows[0][1]["trained"]
    rare = {i for i, (_, found) in enumerate(rows) if found["trained"] < RARE * largest}
    table(
        ["class", "trained on", "tested on", "precision", "recall", "F1", ""],
        [
            [
                name,
                f"{found['trained']}",
                f"{found['support']}",
                f"{found['precision']:.3f}",
                f"{found['recall']:.3f}",
                f"{found['f1']:.3f}",
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
    if report.out is not None:
        typer.echo(f"look at {report.out}/confusion.png")


WORDS = {
    "acsa": "ACSA, mean recall",
    "gm": "GM",
    "g_mean": "G-mean of the recalls",
    "f1_macro": "macro F1",
    "mcc": "Matthews correlation",
    "kappa": "Cohen's kappa",
    "auroc_macro": "macro AUROC",
}
