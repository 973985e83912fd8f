"""`imbsynth imbalance`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imbsynth.cli.console import class_table, execute
from imbsynth.cli.options import Config, Dst, Force, Json, LinkOption, Quiet, Seed, Src
from imbsynth.configs import ImbalanceConfig, Profile

if TYPE_CHECKING:
    from imbsynth.engine.imbalance import Report


def imbalance(
    src: Src,
    dst: Dst,
    counts: Annotated[
        str | None,
        typer.Option(
            metavar="N,N,...", help="Images a class, in class-name order.", show_default=False
        ),
    ] = ImbalanceConfig.counts,
    counts_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="YAML or JSON with a line `class: images`.", show_default=False
        ),
    ] = ImbalanceConfig.counts_file,
    profile: Annotated[
        Profile | None,
        typer.Option(
            help="With --ratio: sizes that fall exponentially or linearly from the largest class "
            "down, or the smaller half of the classes cut.",
            show_default=False,
        ),
    ] = ImbalanceConfig.profile,
    ratio: Annotated[
        float | None, typer.Option(help="Largest class / smallest class.", show_default=False)
    ] = ImbalanceConfig.ratio,
    minority_fraction: Annotated[
        float | None,
        typer.Option(
            help="With --ratio: equalise the classes, then cut this share of them, drawn at "
            "random (the procedure of the AOS paper).",
            show_default=False,
        ),
    ] = ImbalanceConfig.minority_fraction,
    link: LinkOption = ImbalanceConfig.link,
    seed: Seed = ImbalanceConfig.seed,
    force: Force = ImbalanceConfig.force,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Make an imbalanced copy of a folder, to experiment with.

    Images are drawn without replacement; DST/run.json lists every one. With the same seed, a
    smaller class is a part of a larger one.

    Example: imbsynth imbalance mnist/train rare --counts 4000,2000,1000,750,500,350,200,100,60,40

    Example: imbsynth imbalance cifar/train rare --profile exp --ratio 100 --link hard

    Example: imbsynth imbalance cifar/train rare --ratio 50 --minority-fraction 0.8
    """
    from imbsynth.engine.imbalance import run

    settings = ImbalanceConfig(
        src=src,
        dst=dst,
        counts=counts,
        counts_file=counts_file,
        profile=profile,
        ratio=ratio,
        minority_fraction=minority_fraction,
        link=link,
        seed=seed,
        force=force,
    )
    execute(run, settings, quiet=quiet, json=json, summary=_summary)


def _summary(report: "Report") -> None:
    class_table(report.counts)
    typer.echo(
        f"\n{report.images} images, largest / smallest (rho) {report.rho:.4g}, share of minority "
        f"classes (mu) {report.mu:.2g}, in {report.out}"
    )
