"""`imbsynth aos-train`."""

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
from imbsynth.configs import (
    AosTrainConfig,
    Attack,
    Augment,
    Loss,
    Mix,
    Optimizer,
    Oversample,
    Schedule,
)

if TYPE_CHECKING:
    from imbsynth.engine.aos_train import Report

BALANCE = "Balancing"


def aos_train(
    src: Src,
    out: Annotated[
        Path,
        typer.Option(
            metavar="CLF.safetensors",
            help="Checkpoint to write; CLF.jsonl, the log, and CLF.png, curves, go beside it.",
            show_default=False,
        ),
    ],
    val: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of real images that choose the epoch; else a part of SRC is held out.",
            show_default=False,
        ),
    ] = AosTrainConfig.val,
    val_fraction: Annotated[
        float | None,
        typer.Option(
            help="Share of each class that is held out, before oversampling; 0.2 unless given.",
            show_default=False,
        ),
    ] = AosTrainConfig.val_fraction,
    oversample: Annotated[
        Oversample,
        typer.Option(
            metavar="HOW",
            help="aos (copies, some moved towards the decision boundary), ros (random copies), "
            "smote (points between pixels), rus (as many as the smallest class), or none.",
            rich_help_panel=BALANCE,
        ),
    ] = AosTrainConfig.oversample,
    epsilon: Annotated[
        float,
        typer.Option(
            help="How far aos moves a pixel, in units of the [0, 1] range.",
            rich_help_panel=BALANCE,
        ),
    ] = AosTrainConfig.epsilon,
    tau: Annotated[
        float,
        typer.Option(
            help="Probability that aos moves an image of a minority class.",
            rich_help_panel=BALANCE,
        ),
    ] = AosTrainConfig.tau,
    attack: Annotated[
        Attack, typer.Option(help="How aos moves images.", rich_help_panel=BALANCE)
    ] = AosTrainConfig.attack,
    attack_steps: Annotated[
        int, typer.Option(help="Steps of pgd.", rich_help_panel=BALANCE)
    ] = AosTrainConfig.attack_steps,
    attack_step_size: Annotated[
        float | None,
        typer.Option(
            help="How far one step of pgd moves a pixel; 2.5 epsilon / steps unless given.",
            rich_help_panel=BALANCE,
            show_default=False,
        ),
    ] = AosTrainConfig.attack_step_size,
    every: Annotated[
        int,
        typer.Option(help="Epochs for which moved images are used.", rich_help_panel=BALANCE),
    ] = AosTrainConfig.every,
    minority_below: Annotated[
        float,
        typer.Option(
            help="A minority class has fewer than so many times the images of the largest.",
            rich_help_panel=BALANCE,
        ),
    ] = AosTrainConfig.minority_below,
    k_neighbors: Annotated[
        int,
        typer.Option("--k-neighbors", help="k of SMOTE.", rich_help_panel=BALANCE),
    ] = AosTrainConfig.k_neighbors,
    model: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="cnn (small and quick), resnet18, or any classifier of torchvision by its name.",
        ),
    ] = AosTrainConfig.model,
    augment: Annotated[
        Augment,
        typer.Option(
            metavar="HOW",
            help="Random changes to every batch: affine (small rotation, scale and shift), "
            "flip-crop (left and right reflected, padded and cropped), or none.",
        ),
    ] = AosTrainConfig.augment,
    mix: Annotated[
        Mix, typer.Option(metavar="HOW", help="Blend the images of every batch (mixup), or none.")
    ] = AosTrainConfig.mix,
    loss: Annotated[
        Loss,
        typer.Option(metavar="NAME", help="cross-entropy, balanced-softmax, or focal."),
    ] = AosTrainConfig.loss,
    optimizer: Annotated[
        Optimizer, typer.Option(metavar="NAME", help="adam, adamw, or sgd.")
    ] = AosTrainConfig.optimizer,
    weight_decay: Annotated[
        float, typer.Option(help="Weight decay of the optimizer.")
    ] = AosTrainConfig.weight_decay,
    image_size: ImageSize = AosTrainConfig.image_size,
    channels: ChannelsOption = AosTrainConfig.channels,
    epochs: Annotated[int, typer.Option(help="Passes over the images.")] = AosTrainConfig.epochs,
    images_per_epoch: Annotated[
        int | None,
        typer.Option(
            help="Images an epoch, for an equal budget whatever the balancing; else each image of "
            "the oversampled set once.",
            show_default=False,
        ),
    ] = AosTrainConfig.images_per_epoch,
    batch_size: Annotated[int, typer.Option(help="Images a step.")] = AosTrainConfig.batch_size,
    lr: Annotated[float, typer.Option(help="Learning rate.")] = AosTrainConfig.lr,
    schedule: Annotated[
        Schedule,
        typer.Option(metavar="HOW", help="The learning rate falls (cosine) or stays (constant)."),
    ] = AosTrainConfig.schedule,
    precision: PrecisionOption = AosTrainConfig.precision,
    skip_unreadable: SkipUnreadable = AosTrainConfig.skip_unreadable,
    seed: Seed = AosTrainConfig.seed,
    device: Device = AosTrainConfig.device,
    resume: Resume = AosTrainConfig.resume,
    force: Force = AosTrainConfig.force,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Train a classifier that finds the rare classes, and keep its best epoch.

    Rare classes are oversampled, and while training goes on some of their images are moved towards
    and past the decision boundary (AOS). Real images that are never trained on choose the epoch,
    by macro F1. Look at CLF.png: loss, scores, and the recall of each class.

    Example: imbsynth aos-train photos/train --out clf.safetensors

    Example: imbsynth aos-train photos/train --val photos/val --out clf.safetensors
    --oversample ros --model resnet18 --augment flip-crop --epochs 50
    """
    from imbsynth.engine.aos_train import run

    settings = AosTrainConfig(
        src=src,
        out=out,
        val=val,
        val_fraction=val_fraction,
        oversample=oversample,
        epsilon=epsilon,
        tau=tau,
        attack=attack,
        attack_steps=attack_steps,
        attack_step_size=attack_step_size,
        every=every,
        minority_below=minority_below,
        k_neighbors=k_neighbors,
        model=model,
        augment=augment,
        mix=mix,
        loss=loss,
        optimizer=optimizer,
        weight_decay=weight_decay,
        image_size=image_size,
        channels=channels,
        epochs=epochs,
        images_per_epoch=images_per_epoch,
        batch_size=batch_size,
        lr=lr,
        schedule=schedule,
        precision=precision,
        skip_unreadable=skip_unreadable,
        seed=seed,
        device=device,
        resume=resume,
        force=force,
    )
    execute(run, settings, quiet=quiet, json=json, summary=_summary)


def _summary(report: "Report") -> None:
    val = report.val
    typer.echo(
        f"{report.checkpoint}: epoch {report.best_epoch} of {report.epochs}, on the validation "
        f"images macro F1 {val['f1_macro']:.4f}, ACSA {val['acsa']:.4f}, "
        f"G-mean {val['g_mean']:.4f}; {report.seconds_per_epoch:.1f} s an epoch"
    )
    typer.echo(f"look at {report.curves}")
