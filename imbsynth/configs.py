"""What each command can be told: the one home of defaults and range checks."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from imbsynth.errors import UserError

Link = Literal["copy", "hard", "symbolic"]
Profile = Literal["exp", "linear", "step"]
Channels = Literal["auto", "1", "3"]
Decoder = Literal["mirrored", "script"]
Penalty = Literal["permuted", "aligned", "none"]
Precision = Literal["auto", "fp32", "bf16"]
Method = Literal["smote", "ros"]
Oversample = Literal["aos", "ros", "rus", "smote", "none"]
Attack = Literal["fgsm", "pgd", "l2"]
Augment = Literal["none", "affine", "flip-crop"]
Mix = Literal["none", "mixup"]
Loss = Literal["cross-entropy", "balanced-softmax", "focal"]
Optimizer = Literal["adam", "adamw", "sgd"]
Metric = Literal["acsa", "gm", "g_mean", "f1_macro", "mcc", "kappa", "auroc_macro", "rarest_recall"]
Budget = Literal["small", "medium", "large"]
Resize = Literal["tf1", "clean"]
Schedule = Literal["cosine", "constant"]

DEFAULT_FRACTIONS = "0.8,0.1,0.1"
DEFAULT_VAL_FRACTION = 0.2
STATE = ".state"  # in the name of the file from which an interrupted run goes on
MAX_PIXELS = 100_000_000  # an image
MIN_SIDE, MAX_SIDE = 8, 256  # pixels, the sizes that the autoencoder is built and tested for
# Pixels: the sides that the script's decoder can make, up to where it has 200 million weights.
SCRIPTS_SIDES = range(16, 66, 2)
MAX_CLASSIFIED_SIDE = 1024  # pixels


@dataclass(frozen=True, kw_only=True)
class InspectConfig:
    """`inspect`: look at a folder of images per class."""

    src: Path


@dataclass(frozen=True, kw_only=True)
class ImbalanceConfig:
    """`imbalance`: an imbalanced copy of a folder, in exactly one of four ways."""

    src: Path
    dst: Path
    counts: str | None = None  # images a class, in class-name order: "4000,2000,1000"
    counts_file: Path | None = None  # YAML or JSON, {class: images}
    profile: Profile | None = None  # with ratio: the literature's three shapes
    ratio: float | None = None  # largest class / smallest class
    minority_fraction: float | None = None  # with ratio alone: the AOS paper's procedure
    link: Link = "copy"
    seed: int = 0
    force: bool = False

    def __post_init__(self) -> None:
        _check_seed(self.seed)
        ways = [
            self.counts is not None,
            self.counts_file is not None,
            self.profile is not None,
            self.minority_fraction is not None,
        ]
        if sum(ways) != 1:
            raise UserError(
                f"{sum(ways)} ways of choosing the class sizes are given, and one is needed",
                "give one of --counts, --counts-file, --profile with --ratio, "
                "or --ratio with --minority-fraction",
            )
        if (self.ratio is not None) != (
            self.profile is not None or self.minority_fraction is not None
        ):
            raise UserError(
                "--ratio goes with --profile or --minority-fraction, and they need it",
                "for example --profile exp --ratio 100, or --ratio 50 --minority-fraction 0.8",
            )
        if self.ratio is not None and not 1 <= self.ratio < math.inf:
            raise UserError(
                f"--ratio is {self.ratio:g}",
                "give the largest class over the smallest, 1 or more",
            )
        if self.minority_fraction is not None and not 0 <= self.minority_fraction < 1:
            raise UserError(
                f"--minority-fraction is {self.minority_fraction:g}",
                "give the share of classes to cut, in [0, 1), e.g. 0.8",
            )


@dataclass(frozen=True, kw_only=True)
class SplitConfig:
    """`split`: stratified parts of a folder, by fractions or in folds."""

    src: Path
    dst: Path
    fractions: str | None = None  # train,test or train,val,test; they add up to 1
    folds: int | None = None  # instead of fractions: cross-validation
    link: Link = "copy"
    seed: int = 0
    force: bool = False

    def __post_init__(self) -> None:
        _check_seed(self.seed)
        if self.folds is not None and self.folds < 2:
            raise UserError(f"--folds is {self.folds}", "give 2 or more, e.g. 5")
        if self.folds is not None and self.fractions is not None:
            raise UserError("--fractions and --folds are both given", "give one of them")
        self.parts()

    def parts(self) -> dict[str, float]:
        """The share of each part by name, in the order train, val, test."""
        fractions = DEFAULT_FRACTIONS if self.fractions is None else self.fractions
        names = {2: ("train", "test"), 3: ("train", "val", "test")}
        try:
            shares = [float(text) for text in fractions.split(",")]
        except ValueError:
            shares = []
        if len(shares) not in names or not all(0 < share < 1 for share in shares):
            raise UserError(
                f"--fractions is {fractions!r}",
                "give two (train,test) or three (train,val,test) numbers between 0 and 1, "
                "e.g. 0.8,0.1,0.1",
            )
        if not math.isclose(sum(shares), 1, abs_tol=1e-6):
            raise UserError(
                f"--fractions {fractions} add up to {sum(shares):g}", "let them add up to 1"
            )
        return dict(zip(names[len(shares)], shares, strict=True))


@dataclass(frozen=True, kw_only=True)
class TrainAeConfig:
    """`train-ae`: DeepSMOTE's encoder and decoder (Dablain et al., 2022, Algorithm 1)."""

    src: Path
    out: Path
    image_size: str = "auto"  # "auto", "32" or "28x28" (height x width, pixels)
    channels: Channels = "auto"
    latent_dim: int | None = None  # None: the paper's 300 for gray, 600 for colour
    decoder: Decoder = "mirrored"
    epochs: int = 200
    patience: int = 10  # epochs without progress after which training stops; 0: never
    batch_size: int = 100  # images a reconstruction batch; a penalty batch has as many
    lr: float = 2e-4  # of Adam
    penalty: Penalty = "aligned"
    penalty_weight: float = 1.0
    precision: Precision = "auto"
    skip_unreadable: bool = False
    seed: int = 0
    device: str = "auto"
    resume: bool = False
    force: bool = False

    def __post_init__(self) -> None:
        _check_seed(self.seed)
        _check_device(self.device)
        check_size(parse_size(self.image_size))
        _check_range("--epochs", self.epochs, 1, 1_000_000)
        _check_range("--patience", self.patience, 0, 1_000_000)
        _check_range("--batch-size", self.batch_size, 2, 1_000_000)
        if self.latent_dim is not None:
            _check_range("--latent-dim", self.latent_dim, 1, 65_536)
        _check_start(resume=self.resume, force=self.force)
        _check_share("--lr", self.lr, open_end=True)
        if not 0 <= self.penalty_weight < math.inf:
            raise UserError(f"--penalty-weight is {self.penalty_weight:g}", "give 0 or more")
        _check_checkpoint_name(self.out)


@dataclass(frozen=True, kw_only=True)
class GenerateConfig:
    """`generate`: bring the classes of a folder up to one size with synthetic images."""

    src: Path
    dst: Path
    ae: Path | None = None  # a checkpoint of train-ae; None: work on pixels
    method: Method = "smote"
    k_neighbors: int = 5  # k of SMOTE
    to: int | None = None  # images a class; None: as many as the largest
    per_class: Path | None = None  # YAML or JSON, {class: images}, instead of `to`
    image_size: str = "auto"  # without a checkpoint: "auto", "32" or "28x28"
    synthetic_only: bool = False
    reconstruct_originals: bool = False
    link: Link = "copy"  # how the originals get there
    batch_size: int = 500  # images encoded or decoded at once
    precision: Precision = "auto"
    skip_unreadable: bool = False
    seed: int = 0
    device: str = "auto"
    force: bool = False

    def __post_init__(self) -> None:
        _check_seed(self.seed)
        _check_device(self.device)
        size = parse_size(self.image_size)
        _check_range("--k-neighbors", self.k_neighbors, 1, 10_000)
        _check_range("--batch-size", self.batch_size, 1, 1_000_000)
        if self.to is not None:
            _check_range("--to", self.to, 1, 1_000_000_000)
        if self.to is not None and self.per_class is not None:
            raise UserError("--to and --per-class are both given", "give one of them")
        if self.ae is not None and size is not None:
            raise UserError(
                "--image-size goes without --ae: the checkpoint has its own size",
                "leave --image-size out",
            )
        if self.reconstruct_originals and self.ae is None:
            raise UserError(
                "--reconstruct-originals needs an autoencoder", "give --ae AE.safetensors"
            )
        if self.reconstruct_originals and self.synthetic_only:
            raise UserError(
                "--reconstruct-originals and --synthetic-only exclude each other", "give one"
            )


@dataclass(frozen=True, kw_only=True)
class AosTrainConfig:
    """`aos-train`: a classifier, with Adversarial OverSampling or what it is compared with."""

    src: Path
    out: Path
    val: Path | None = None  # a folder of real images; None: a fraction of `src` is held out
    val_fraction: float | None = None  # of each class; None: DEFAULT_VAL_FRACTION, without `val`
    oversample: Oversample = "aos"
    epsilon: float = 0.02  # how far an image is moved, in units of the [0, 1] pixel range
    tau: float = 0.8  # probability that an image of a minority class is moved
    attack: Attack = "fgsm"
    attack_steps: int = 7  # of pgd
    attack_step_size: float | None = None  # of pgd, in the unit of epsilon; None: 2.5 epsilon/steps
    every: int = 2  # epochs for which a draw of moved images serves
    minority_below: float = 1.0  # a minority class has fewer than so many times the largest
    k_neighbors: int = 5  # k of SMOTE
    model: str = "cnn"  # "cnn", "resnet18", or another of torchvision's classifiers
    augment: Augment = "affine"
    mix: Mix = "none"
    loss: Loss = "cross-entropy"
    optimizer: Optimizer = "adam"
    weight_decay: float = 0.0
    image_size: str = "auto"  # "auto", "32" or "28x28" (height x width, pixels)
    channels: Channels = "auto"
    epochs: int = 20
    images_per_epoch: int | None = None  # None: each image of the oversampled set once
    batch_size: int = 128
    lr: float = 1e-3
    schedule: Schedule = "cosine"
    precision: Precision = "auto"
    skip_unreadable: bool = False
    seed: int = 0
    device: str = "auto"
    resume: bool = False
    force: bool = False

    def __post_init__(self) -> None:
        _check_seed(self.seed)
        _check_device(self.device)
        parse_size(self.image_size)
        _check_range("--every", self.every, 1, 1_000_000)
        _check_range("--k-neighbors", self.k_neighbors, 1, 10_000)
        _check_range("--epochs", self.epochs, 1, 1_000_000)
        _check_range("--batch-size", self.batch_size, 2, 1_000_000)
        if self.images_per_epoch is not None:
            _check_range("--images-per-epoch", self.images_per_epoch, 2, 1_000_000_000)
        if self.val is not None and self.val_fraction is not None:
            raise UserError("--val and --val-fraction are both given", "give one of them")
        if self.val_fraction is not None:
            _check_share("--val-fraction", self.val_fraction, open_end=True)
        for option in ("epsilon", "tau", "minority_below"):
            _check_share(f"--{option.replace('_', '-')}", getattr(self, option))
        _check_range("--attack-steps", self.attack_steps, 1, 10_000)
        if self.attack_step_size is not None:
            _check_share("--attack-step-size", self.attack_step_size)
        if not 0 <= self.weight_decay < math.inf:
            raise UserError(f"--weight-decay is {self.weight_decay:g}", "give 0 or more")
        _check_start(resume=self.resume, force=self.force)
        _check_share("--lr", self.lr, open_end=True)
        _check_checkpoint_name(self.out)


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """`evaluate`: a classifier's scores on a folder of real images."""

    checkpoint: Path
    src: Path
    out: Path | None = None  # a folder for metrics.json, predictions.csv and confusion.png
    allow_overlap: bool = False
    draws: int = 1000  # of the bootstrap
    batch_size: int = 500  # images classified at once
    precision: Precision = "fp32"
    skip_unreadable: bool = False
    seed: int = 0
    device: str = "auto"
    force: bool = False

    def __post_init__(self) -> None:
        _check_seed(self.seed)
        _check_device(self.device)
        _check_range("--draws", self.draws, 100, 1_000_000)
        _check_range("--batch-size", self.batch_size, 1, 1_000_000)


@dataclass(frozen=True, kw_only=True)
class CompareConfig:
    """`compare`: the scores of many evaluations, or of an experiment, side by side."""

    src: Path
    metric: Metric = "acsa"
    rope: float = 0.01  # a difference that does not matter, in the unit of the scores
    out: Path | None = None  # a folder for tables.md, tables as CSV, and pictures
    seed: int = 0
    force: bool = False

    def __post_init__(self) -> None:
        _check_seed(self.seed)
        if not 0 < self.rope < 1:
            raise UserError(f"--rope is {self.rope:g}", "give a small difference, e.g. 0.01")


@dataclass(frozen=True, kw_only=True)
class ExperimentConfig:
    """`experiment`: a protocol's grid, or every method on one folder; or a share of that."""

    out: Path
    protocol: Path | None = None  # a YAML file
    data: Path | None = None  # the protocol's folders are relative to it
    on: Path | None = None  # a folder of images, instead of a protocol
    budget: Budget = "small"  # of the methods on that folder
    image_size: str = "auto"  # likewise: "auto", "32" or "28x28"
    shard: str = "1/1"  # "2/8": the second of eight processes that share the grid
    dry_run: bool = False
    device: str = "auto"

    def __post_init__(self) -> None:
        _check_device(self.device)
        parse_size(self.image_size)
        self.turn()
        if (self.protocol is None) == (self.on is None):
            raise UserError(
                "neither a protocol nor --on is given"
                if self.on is None
                else "a protocol and --on are both given",
                "give FILE.yaml with --data ROOT, or --on FOLDER",
            )
        if (self.protocol is None) != (self.data is None):
            raise UserError("--data goes with a protocol, and it needs --data", "give both")
        if self.on is None and (self.budget, self.image_size) != (type(self).budget, "auto"):
            raise UserError("--budget and --image-size go with --on", "put options in the protocol")

    def turn(self) -> tuple[int, int]:
        """(which, of how many), counted from 1."""
        match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", self.shard)
        if not match or not 1 <= int(match[1]) <= int(match[2]):
            raise UserError(f"--shard is {self.shard!r}", "give the process and how many, e.g. 2/8")
        return int(match[1]), int(match[2])


@dataclass(frozen=True, kw_only=True)
class FidConfig:
    """`fid`: the Fréchet distance of two folders, or of what `generate` made to what is real."""

    real: Path
    fake: Path | None = None  # None: `real` is a folder of generate, with both in it
    features: str = "inception"  # or "pixels", or a checkpoint
    weights: Path | None = None  # of Inception; None looks for them
    resize: Resize = "tf1"  # how Inception's images come to 299 pixels
    image_size: str = "auto"  # of pixels: "auto", "32" or "28x28"
    kid: bool = False
    precision_recall: bool = False
    cache: Path | None = None  # folder for the statistics of classes
    plot: Path | None = None  # PNG
    batch_size: int | None = None  # images at once; None: 32 for Inception, else 500
    precision: Precision = "fp32"
    skip_unreadable: bool = False
    seed: int = 0
    device: str = "auto"
    force: bool = False

    def __post_init__(self) -> None:
        _check_seed(self.seed)
        _check_device(self.device)
        size = parse_size(self.image_size)
        if self.batch_size is not None:
            _check_range("--batch-size", self.batch_size, 1, 1_000_000)
        if self.features != "inception" and (self.weights is not None or self.resize != "tf1"):
            raise UserError(
                f"--weights and --resize are Inception's, and --features is {self.features}",
                "leave them out",
            )
        if self.features != "pixels" and size is not None:
            raise UserError(
                "--image-size goes with --features pixels: a network has its own size",
                "leave --image-size out",
            )
        if self.plot is not None and self.plot.suffix.lower() != ".png":
            raise UserError(
                f"--plot {self.plot}: the picture is a .png file",
                f"use --plot {self.plot.with_suffix('.png')}" if self.plot.name else "give a file",
            )


def parse_size(text: str) -> tuple[int, int] | None:
    """(height, width) in pixels out of "32" or "28x28"; None out of "auto"."""
    if text == "auto":
        return None
    match = re.fullmatch(r"(\d{1,5})(?:x(\d{1,5}))?", text)
    if not match or not int(match[1]) or not int(match[2] or match[1]):
        raise UserError(
            f"--image-size is {text!r}", "give auto, a number (32), or height x width (28x28)"
        )
    height, width = int(match[1]), int(match[2] or match[1])
    if height * width > MAX_PIXELS:
        raise UserError(
            f"--image-size {text}: {height * width:,} pixels", f"choose at most {MAX_PIXELS:,}"
        )
    return height, width


def check_size(
    size: tuple[int, int] | None, largest: int = MAX_SIDE, taker: str = "the autoencoder"
) -> None:
    """Raise UserError unless the network can be built for (height, width); None passes."""
    if size is not None and not all(MIN_SIDE <= side <= largest for side in size):
        raise UserError(
            f"images of {size[0]}x{size[1]} pixels: {taker} takes {MIN_SIDE} to {largest} a side",
            "choose another size with --image-size",
        )


def check_decoder(decoder: str, size: tuple[int, int]) -> None:
    """Raise UserError unless the decoder makes images of (height, width)."""
    if decoder == "script" and not all(side in SCRIPTS_SIDES for side in size):
        raise UserError(
            f"images of {size[0]}x{size[1]} pixels: the script's decoder makes even sizes of "
            f"{SCRIPTS_SIDES[0]} to {SCRIPTS_SIDES[-1]} pixels a side",
            "choose another size with --image-size, or leave out --decoder script",
        )


def _check_range(option: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise UserError(f"{option} is {value}", f"give a whole number from {low} to {high}")


def _check_share(option: str, value: float, *, open_end: bool = False) -> None:
    """Raise UserError unless the value is above 0 and at most (or, `open_end`, below) 1."""
    if not (0 < value < 1 if open_end else 0 < value <= 1):
        raise UserError(
            f"{option} is {value:g}", f"give a number in (0, 1{')' if open_end else ']'}"
        )


def _check_start(*, resume: bool, force: bool) -> None:
    if resume and force:
        raise UserError("--resume and --force exclude each other", "give one of them")


def _check_checkpoint_name(out: Path) -> None:
    if out.name in ("", ".."):
        raise UserError(f"--out is {str(out)!r}", "give a file, e.g. model.safetensors")
    if out.suffix != ".safetensors":
        raise UserError(
            f"--out {out}: checkpoints are .safetensors files",
            f"use --out {out.with_suffix('.safetensors')}",
        )
    if out.stem.endswith(STATE):
        raise UserError(
            f"--out {out}: the name of what an interrupted run of another leaves",
            "choose a name that does not end in .state.safetensors",
        )


def _check_seed(seed: int) -> None:
    _check_range("--seed", seed, 0, 2**63 - 1)


def _check_device(device: str) -> None:
    if not re.fullmatch(r"auto|cpu|cuda(:\d{1,3})?", device):
        raise UserError(f"--device is {device!r}", "give auto, cpu, cuda or cuda:N")
