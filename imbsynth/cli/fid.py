"""`imbsynth fid`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imbsynth.cli.console import execute, table
from imbsynth.cli.options import (
    Config,
    Device,
    Force,
    ImageSize,
    Json,
    PrecisionOption,
    Quiet,
    Seed,
    SkipUnreadable,
)
from imbsynth.configs import FidConfig, Resize

if TYPE_CHECKING:
    from imbsynth.engine.fid import Report


def fid(
    real: Annotated[
        Path,
        typer.Argument(
            metavar="REAL",
            help="Folder of real images per class; or a folder of generate, alone.",
            show_default=False,
        ),
    ],
    fake: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FAKE]",
            help="Folder of synthetic images per class. Of a folder of generate, only its "
            "synthetic images are taken.",
            show_default=False,
        ),
    ] = FidConfig.fake,
    features: Annotated[
        str,
        typer.Option(
            metavar="inception|pixels|CHECKPOINT",
            help="What images are compared by. Inception's features make the FID of the "
            "literature; pixels and a checkpoint of imbsynth need no download.",
        ),
    ] = FidConfig.features,
    weights: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Weights of Inception, checked by digest; without it they are looked for.",
            show_default=False,
        ),
    ] = FidConfig.weights,
    resize: Annotated[
        Resize,
        typer.Option(
            help="How images come to Inception's 299 pixels: tf1 as in TensorFlow 1 and "
            "torch-fidelity, clean with antialiasing."
        ),
    ] = FidConfig.resize,
    image_size: ImageSize = FidConfig.image_size,
    kid: Annotated[
        bool, typer.Option("--kid", help="Also the kernel distance: unbiased, with its error.")
    ] = FidConfig.kid,
    precision_recall: Annotated[
        bool, typer.Option("--precision-recall", help="Also precision, recall, density, coverage.")
    ] = FidConfig.precision_recall,
    cache: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Keep the statistics of each class there, by the content of its images.",
            show_default=False,
        ),
    ] = FidConfig.cache,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.png",
            help="Draw a bar a class, and a t-SNE map of real and synthetic images.",
            show_default=False,
        ),
    ] = FidConfig.plot,
    batch_size: Annotated[
        int | None,
        typer.Option(help="Images at once; 32 for inception, else 500.", show_default=False),
    ] = FidConfig.batch_size,
    precision: PrecisionOption = FidConfig.precision,
    skip_unreadable: SkipUnreadable = FidConfig.skip_unreadable,
    seed: Seed = FidConfig.seed,
    device: Device = FidConfig.device,
    force: Force = FidConfig.force,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Fréchet distance of synthetic images to real ones, pooled and class by class.

    With one folder, which generate made, its synthetic images against its real ones.

    Example: imbsynth fid photos/train balanced --kid

    Example: imbsynth fid balanced --features ae.safetensors --plot fid.png
    """
    from imbsynth.engine.fid import run

    settings = FidConfig(
        real=real,
        fake=fake,
        features=features,
        weights=weights,
        resize=resize,
        image_size=image_size,
        kid=kid,
        precision_recall=precision_recall,
        cache=cache,
        plot=plot,
        batch_size=batch_size,
        precision=precision,
        skip_unreadable=skip_unreadable,
        seed=seed,
        device=device,
        force=force,
    )
    execute(run, settings, quiet=quiet, json=json, summary=_summary)


def _summary(report: "Report") -> None:
    """A row a class, then their mean and all images together."""
    from imbsynth.engine.fid import SMALL, is_small
    from imbsynth.store.names import printable

    label = f"{report.metric} ({report.features})"
    shown = ["kid", "precision", "recall", "density", "coverage"]
    pooled = {
        "fid": report.fid,
        "n_real": report.n_real,
        "n_fake": report.n_fake,
        **{name: getattr(report, name) for name in [*shown, "kid_std"]},
    }
    columns = [name for name in shown if pooled[name] is not None]
    rows = [
        [
            name,
            *(_cell(numbers, column) for column in ["n_real", "n_fake", "fid", *columns]),
            f"n < {SMALL:,}: too high" if is_small(numbers) else "",
        ]
        for name, numbers in [*report.per_class.items(), ("all images", pooled)]
    ]
    table(["class", "real", "synthetic", label, *columns, ""], rows)
    for name, why in report.left_out.items():
        typer.echo(f"{printable(name)}: {why}, left out")
    if report.class_mean is not None:
        typer.echo(f"\nmean of {len(report.per_class)} classes: {label} {report.class_mean:.4f}")
    typer.echo(f"all images: {label} {report.fid:.4f}")
    if report.plot:
        typer.echo(f"look at {report.plot}")


def _cell(numbers: dict[str, float], column: str) -> str:
    if numbers.get(column) is None:
        return ""
    if column.startswith("n_"):
        return str(int(numbers[column]))
    if column == "kid":
        return f"{numbers['kid']:.5f} ± {numbers['kid_std']:.5f}"
    return f"{numbers[column]:.4f}"
