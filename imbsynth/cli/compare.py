"""`imbsynth compare`."""

from pathlib import Path
from typing import Annotated

import typer

from imbsynth.cli.console import execute
from imbsynth.cli.options import Config, Force, Json, Quiet, Seed
from imbsynth.configs import CompareConfig, Metric


def compare(
    src: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="Folder with what `evaluate --out` wrote, or the --out of experiments.",
            show_default=False,
        ),
    ],
    metric: Annotated[
        Metric, typer.Option(metavar="NAME", help="The score by which methods are compared.")
    ] = CompareConfig.metric,
    rope: Annotated[
        float, typer.Option(help="A difference of that score that does not matter.")
    ] = CompareConfig.rope,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder to make, with tables.md, the same as CSV files, and pictures.",
            show_default=False,
        ),
    ] = CompareConfig.out,
    seed: Seed = CompareConfig.seed,
    force: Force = CompareConfig.force,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Put the scores of many evaluations into one table, and say which method is better.

    All experiments and evaluations below the folder are read. Single evaluations show the 95 %
    interval over their test images; how much another seed of the training would change is not in
    it. Experiments show means and standard deviations over their seeds, and, from three problems
    and three methods on, Friedman's test, Shaffer's for pairs, and the chances that one is better
    by the Bayesian signed-rank test. Wins and tests are over the problems on which every method
    has a result, with the seeds that all of them have; what is left out is said.

    Where an experiment has several imbalance ratios (or values of mu), --out also draws the score
    over them, robustness.png.

    Example: imbsynth compare results

    Example: imbsynth compare experiment --metric f1_macro --out tables
    """
    from imbsynth.cli.compare_summary import run, summary

    settings = CompareConfig(src=src, metric=metric, rope=rope, out=out, seed=seed, force=force)
    execute(run, settings, quiet=quiet, json=json, summary=summary)
