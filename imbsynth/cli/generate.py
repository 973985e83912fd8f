"""`imbsynth generate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imbsynth.cli.console import class_table, execute
from imbsynth.cli.options import (
    Config,
    Device,
    Dst,
    Force,
    ImageSize,
    Json,
    LinkOption,
    PrecisionOption,
    Quiet,
    Seed,
    SkipUnreadable,
    Src,
)
from imbsynth.configs import GenerateConfig, Method

if TYPE_CHECKING:
    from imbsynth.engine.generate import Report


def generate(
    src: Src,
    dst: Dst,
    ae: Annotated[
        Path | None,
        typer.Option(
            metavar="AE.safetensors",
            help="Work in the latent space of this checkpoint of train-ae (DeepSMOTE); without "
            "it, on pixels.",
            show_default=False,
        ),
    ] = GenerateConfig.ae,
    method: Annotated[
        Method, typer.Option(help="Between neighbors of a class (smote), or copies (ros).")
    ] = GenerateConfig.method,
    k_neighbors: Annotated[
        int,
        typer.Option("--k-neighbors", help="How many nearest neighbors smote chooses from."),
    ] = GenerateConfig.k_neighbors,
    to: Annotated[
        int | None,
        typer.Option(
            help="Images a class; as many as the largest unless given.", show_default=False
        ),
    ] = GenerateConfig.to,
    per_class: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Instead of --to: YAML or JSON with a line `class: images`.",
            show_default=False,
        ),
    ] = GenerateConfig.per_class,
    image_size: ImageSize = GenerateConfig.image_size,
    synthetic_only: Annotated[
        bool, typer.Option("--synthetic-only", help="Leave the originals out of DST.")
    ] = GenerateConfig.synthetic_only,
    reconstruct_originals: Annotated[
        bool,
        typer.Option(
            "--reconstruct-originals",
            help="Send the originals through the autoencoder too, so that blur tells no class.",
        ),
    ] = GenerateConfig.reconstruct_originals,
    link: LinkOption = GenerateConfig.link,
    batch_size: Annotated[
        int, typer.Option(help="Images encoded or decoded at once.")
    ] = GenerateConfig.batch_size,
    precision: PrecisionOption = GenerateConfig.precision,
    skip_unreadable: SkipUnreadable = GenerateConfig.skip_unreadable,
    seed: Seed = GenerateConfig.seed,
    device: Device = GenerateConfig.device,
    force: Force = GenerateConfig.force,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Bring every class up to the largest with synthetic images.

    DST holds the originals, the synthetic images (synthetic-000001.png ...), manifest.jsonl (what
    each is made of), run.json (how), and samples.png: look at it.

    Example: imbsynth generate photos/train balanced --ae ae.safetensors

    Example: imbsynth generate photos/train balanced --method ros --to 500
    """
    from imbsynth.engine.generate import run

    settings = GenerateConfig(
        src=src,
        dst=dst,
        ae=ae,
        method=method,
        k_neighbors=k_neighbors,
        to=to,
        per_class=per_class,
        image_size=image_size,
        synthetic_only=synthetic_only,
        reconstruct_originals=reconstruct_originals,
        link=link,
        batch_size=batch_size,
        precision=precision,
        skip_unreadable=skip_unreadable,
        seed=seed,
        device=device,
        force=force,
    )
    execute(run, settings, quiet=quiet, json=json, summary=_summary)


def _summary(report: "Report") -> None:
    class_table(report.counts, report.added)
    typer.echo(
        f"\n{sum(report.added.values())} synthetic images, {report.images_per_second:.0f} a "
        f"second, in {report.out}"
    )
    if report.samples:
        typer.echo(f"look at {report.samples}")
