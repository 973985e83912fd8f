"""`imbsynth train-ae`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imbsynth.cli.console import execute
from imbsynth.cli.options import (
    ChannelsOption,
    Config,
    Device,
    Force,
    ImageSize,
    Json,
    PrecisionOption,
    Quiet,
    Resume,
    Seed,
    SkipUnreadable,
    Src,
)
from imbsynth.configs import Decoder, Penalty, TrainAeConfig

if TYPE_CHECKING:
    from imbsynth.engine.train_ae import Report


def train_ae(
    src: Src,
    out: Annotated[
        Path,
        typer.Option(
            metavar="AE.safetensors",
            help="Checkpoint to write; AE.jsonl, the log, and AE.png, pictures, go beside it.",
            show_default=False,
        ),
    ],
    image_size: ImageSize = TrainAeConfig.image_size,
    channels: ChannelsOption = TrainAeConfig.channels,
    latent_dim: Annotated[
        int | None,
        typer.Option(
            help="Numbers a latent; 300 for gray, 600 for colour unless given.", show_default=False
        ),
    ] = TrainAeConfig.latent_dim,
    decoder: Annotated[
        Decoder,
        typer.Option(
            metavar="KIND",
            help="mirrored, as in the paper, or script, as in the authors' public script: larger, "
            "slower, for even sizes of 16 to 64 pixels.",
        ),
    ] = TrainAeConfig.decoder,
    epochs: Annotated[
        int, typer.Option(help="Passes over the images at most.")
    ] = TrainAeConfig.epochs,
    patience: Annotated[
        int, typer.Option(help="Stop after so many epochs without progress; 0 never does.")
    ] = TrainAeConfig.patience,
    batch_size: Annotated[
        int, typer.Option(help="Images a step; the penalty takes as many.")
    ] = TrainAeConfig.batch_size,
    lr: Annotated[float, typer.Option(help="Learning rate of Adam.")] = TrainAeConfig.lr,
    penalty: Annotated[
        Penalty,
        typer.Option(
            metavar="KIND",
            help="What the codes of a batch of one class, decoded in another order, are held "
            "against: the batch in its first order (permuted, as in the paper), in the same "
            "order as the codes (aligned, as in the authors' script), or no such batch (none).",
        ),
    ] = TrainAeConfig.penalty,
    penalty_weight: Annotated[
        float, typer.Option(help="Weight of the penalty loss.")
    ] = TrainAeConfig.penalty_weight,
    precision: PrecisionOption = TrainAeConfig.precision,
    skip_unreadable: SkipUnreadable = TrainAeConfig.skip_unreadable,
    seed: Seed = TrainAeConfig.seed,
    device: Device = TrainAeConfig.device,
    resume: Resume = TrainAeConfig.resume,
    force: Force = TrainAeConfig.force,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Train DeepSMOTE's autoencoder on a folder of images.

    Look at AE.png, originals and their reconstructions: synthetic images will be as sharp as
    these. An interrupted run goes on with --resume and ends in the same weights.

    Example: imbsynth train-ae photos/train --out ae.safetensors --epochs 100

    Example: imbsynth train-ae photos/train --out ae.safetensors --image-size 64 --resume
    """
    from imbsynth.engine.train_ae import run

    settings = TrainAeConfig(
        src=src,
        out=out,
        image_size=image_size,
        channels=channels,
        latent_dim=latent_dim,
        decoder=decoder,
        epochs=epochs,
        patience=patience,
        batch_size=batch_size,
        lr=lr,
        penalty=penalty,
        penalty_weight=penalty_weight,
        precision=precision,
        skip_unreadable=skip_unreadable,
        seed=seed,
        device=device,
        resume=resume,
        force=force,
    )
    execute(run, settings, quiet=quiet, json=json, summary=_summary)


def _summary(report: "Report") -> None:
    typer.echo(
        f"{report.checkpoint}: {report.epochs} epochs, reconstruction loss "
        f"{report.recon_loss:.5f}, penalty loss {report.penalty_loss:.5f}, "
        f"{report.images_per_second:.0f} images/s"
    )
    typer.echo(f"look at {report.sheet}")
