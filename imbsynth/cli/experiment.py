"""`imbsynth experiment`."""

from pathlib import Path
from typing import Annotated

import typer

from imbsynth.cli.console import execute
from imbsynth.cli.options import Config, Device, ImageSize, Json, Quiet
from imbsynth.configs import Budget, ExperimentConfig


def experiment(
    out: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            help="Folder for the results; an experiment in it is resumed.",
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
            help="Your own folder, instead of a protocol: which method helps on it?",
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
        bool, typer.Option("--dry-run", help="List the trials and their state; run none.")
    ] = ExperimentConfig.dry_run,
    device: Device = ExperimentConfig.device,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Run a grid of data sets, imbalances, methods and seeds, or all methods on a folder.

    A trial makes an imbalanced copy of a data set, holds out validation images, makes what the
    method needs, trains and evaluates; its result is one JSON file in DIR/trials. Run the command
    again to resume; run it many times at once, and the processes share the work. `imbsynth compare
    DIR` makes the tables.

    With --on, plain training, random oversampling, pixel SMOTE, AOS and DeepSMOTE are
    cross-validated on a folder, without and with augmentation, all with the same training budget.
    The command says first about how long that takes, and at the end which methods helped.

    Example: imbsynth experiment --on photos --out verdict

    Example: imbsynth experiment experiments/aos-mnist.yaml --data data --out results --dry-run

    Example: imbsynth experiment experiments/aos-mnist.yaml --data data --out results --shard 2/8
    """
    from imbsynth.cli.experiment_summary import summary
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
    execute(run, settings, quiet=quiet, json=json, summary=summary)
