"""`imbsynth split`."""

from typing import TYPE_CHECKING, Annotated

import typer

from imbsynth.cli.console import execute
from imbsynth.cli.options import Config, Dst, Force, Json, LinkOption, Quiet, Seed, Src
from imbsynth.configs import DEFAULT_FRACTIONS, SplitConfig

if TYPE_CHECKING:
    from imbsynth.engine.split import Report


def split(
    src: Src,
    dst: Dst,
    fractions: Annotated[
        str | None,
        typer.Option(
            metavar="F,F[,F]",
            help="Shares of train,test or train,val,test; they add up to 1. "
            f"{DEFAULT_FRACTIONS} unless given.",
            show_default=False,
        ),
    ] = SplitConfig.fractions,
    folds: Annotated[
        int | None,
        typer.Option(
            help="Instead of fractions: so many pairs DST/fold-I/train and DST/fold-I/test.",
            show_default=False,
        ),
    ] = SplitConfig.folds,
    link: LinkOption = SplitConfig.link,
    seed: Seed = SplitConfig.seed,
    force: Force = SplitConfig.force,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Deal a folder out into train, validation and test parts, each with its share of each class.

    Every part gets at least one image of every class.

    Example: imbsynth split photos parts --fractions 0.8,0.1,0.1

    Example: imbsynth split photos folds --folds 5 --link hard
    """
    from imbsynth.engine.split import run

    settings = SplitConfig(
        src=src, dst=dst, fractions=fractions, folds=folds, link=link, seed=seed, force=force
    )
    execute(run, settings, quiet=quiet, json=json, summary=_summary)


def _summary(report: "Report") -> None:
    for part, counts in report.counts.items():
        typer.echo(f"{report.out}/{part}: {sum(counts.values())} images")
