"""`imbsynth experiment`."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imbsynth.cli.console import execute, table
from imbsynth.cli.options import Config, Device, ImageSize, Json, Quiet
from imbsynth.configs import Budget, ExperimentConfig

if TYPE_CHECKING:
    from imbsynth.engine.experiment import Report

SHOWN = 2  # classes in the table; the picture has all


def experiment(
    out: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            help="Folder for the results; one that has some is gone on with.",
            show_default=False,
        ),
    ],
    protocol: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE.yaml]", help="What is compared with what.", show_default=False
        ),
    ] = ExperimentConfig.protocol,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="ROOT", help="Folder above the protocol's data sets.", show_default=False
        ),
    ] = ExperimentConfig.data,
    on: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="A folder of your own, instead of a protocol: which method helps on it?",
            show_default=False,
        ),
    ] = ExperimentConfig.on,
    budget: Annotated[
        Budget, typer.Option(help="With --on: how long each method is trained, in how many folds.")
    ] = ExperimentConfig.budget,
    image_size: ImageSize = ExperimentConfig.image_size,
    shard: Annotated[
        str, typer.Option(metavar="I/N", help="Do the I-th of N shares, as one job of an array.")
    ] = ExperimentConfig.shard,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the cells and where each stands; run none.")
    ] = ExperimentConfig.dry_run,
    device: Device = ExperimentConfig.device,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Run a grid of data sets, imbalances, methods and seeds, or all methods on a folder.

    A cell cuts a data set, holds out validation images, makes what the method needs, trains and
    evaluates; its result is one JSON file in DIR/cells. Run it again and it goes on; run it many
    times at once and the processes share the work. `imbsynth compare DIR` makes the tables.

    With --on, plain training, random oversampling, pixel SMOTE, AOS and DeepSMOTE are
    cross-validated on a folder, without and with augmentation, all with one training budget. It
    says beforehand about how long that takes, and at the end which methods helped.

    Example: imbsynth experiment --on photos --out verdict

    Example: imbsynth experiment experiments/aos-mnist.yaml --data data --out results --dry-run

    Example: imbsynth experiment experiments/aos-mnist.yaml --data data --out results --shard 2/8
    """
    from imbsynth.engine.experiment import run

    settings = ExperimentConfig(
        out=out,
        protocol=protocol,
        data=data,
        on=on,
        budget=budget,
        image_size=image_size,
        shard=shard,
        dry_run=dry_run,
        device=device,
    )
    execute(run, settings, quiet=quiet, json=json, summary=_summary)


def _summary(report: "Report") -> None:
    if report.verdicts:
        return _verdicts(report)
    for name, status in report.cells.items():
        typer.echo(f"{status:<10} {name}")
    counts = Counter(report.cells.values())
    typer.echo(", ".join(f"{n} {status}" for status, n in counts.items()) + f", in {report.out}")


def _verdicts(report: "Report") -> None:
    rarest = list(report.verdicts[0].recalls)[:SHOWN]
    rows = []
    for found in report.verdicts:
        recalls = [
            _percent(found.recalls[name], found.recall_intervals[name], 0) for name in rarest
        ]
        chance = "" if found.better is None else f"{found.better:.2f}"
        score = _percent(found.acsa, found.interval, 1)
        rows.append([found.method, *recalls, score, chance, found.words])
    named = [f"{name} ({report.counts[name]})" for name in rarest]
    table(["", *named, "ACSA", "P(better)", ""], rows)
    typer.echo(
        "\nIn percent, with 95 % intervals: recall of the rarest classes (in brackets how many\n"
        "images they have) and ACSA, over all images, each tested once. P(better): the chance\n"
        "that a method beats plain training with the same augmentation by more than a point of\n"
        "ACSA, and that augmentation alone does. Of nine such comparisons, one may seem sure by\n"
        "chance."
    )
    sure = [found for found in report.verdicts if found.words in ("helps", "hurts")]
    for found in sure:
        typer.echo(f"{found.method} {found.words}")
    if not sure:
        typer.echo("Nothing surely helps or hurts: more images, or a larger --budget, may tell.")
    typer.echo(f"look at {', '.join(report.pictures)}")


def _percent(value: float, interval: tuple[float, float], digits: int) -> str:
    low, high = (f"{100 * end:.{digits}f}" for end in interval)
    return f"{100 * value:.{digits}f} [{low}, {high}]"
