"""`imbsynth experiment`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imbsynth.cli.console import execute
from imbsynth.cli.options import Config, Device, Json, Quiet
from imbsynth.configs import ExperimentConfig

if TYPE_CHECKING:
    from imbsynth.engine.experiment import Report


def experiment(
    protocol: Annotated[
        Path,
        typer.Argument(metavar="FILE.yaml", help="What is compared with what.", show_default=False),
    ],
    data: Annotated[
        Path,
        typer.Option(
            metavar="ROOT", help="Folder above the protocol's data sets.", show_default=False
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            help="Folder for the results; one that has some is gone on with.",
            show_default=False,
        ),
    ],
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
    """Run a grid of data sets, imbalances, methods and seeds, each cell once.

    A cell cuts a data set, holds out validation images, makes what the method needs, trains and
    evaluates; its result is one JSON file in DIR/cells. Run it again and it goes on; run it many
    times at once and the processes share the work. `imbsynth compare DIR` makes the tables.

    Example: imbsynth experiment experiments/aos-mnist.yaml --data data --out results --dry-run

    Example: imbsynth experiment experiments/aos-mnist.yaml --data data --out results --shard 2/8
    """
    from imbsynth.engine.experiment import run

    settings = ExperimentConfig(
        protocol=protocol, data=data, out=out, shard=shard, dry_run=dry_run, device=device
    )
    execute(run, settings, quiet=quiet, json=json, summary=_summary)


def _summary(report: Report) -> None:
    for name, status in report.cells.items():
        typer.echo(f"{status:<10} {name}")
    counts = Counter(report.cells.values())
    typer.echo(", ".join(f"{n} {status}" for status, n in counts.items()) + f", in {report.out}")
