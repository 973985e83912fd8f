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
Penalty = Literal["permuted", "aligned", "none"]
Precision = Literal["auto", "fp32", "bf16"]
Method = Literal["smote", "ros"]
Resize = Literal["tf1", "clean"]

DEFAULT_FRACTIONS = "0.8,0.1,0.1"
MIN_SIDE, MAX_SIDE = 8, 256  # pixels, the sizes that the autoencoder is built and tested for


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
        if self.resume and self.force:
            raise UserError("--resume and --force exclude each other", "give one of them")
        if not 0 < self.lr < 1:
            raise UserError(f"--lr is {self.lr:g}", "give a step in (0, 1), e.g. 2e-4")
        if not 0 <= self.penalty_weight < math.inf:
            raise UserError(f"--penalty-weight is {self.penalty_weight:g}", "give 0 or more")
        if self.out.name in ("", ".."):
            raise UserError(f"--out is {str(self.out)!r}", "give a file, e.g. ae.safetensors")
        if self.out.suffix != ".safetensors":
            raise UserError(
                f"--out {self.out}: checkpoints are .safetensors files",
                f"use --out {self.out.with_suffix('.safetensors')}",
            )


@dataclass(frozen=True, kw_only=True)
class GenerateConfig:
    """`generate`: bring the classes of a folder up to one size with synthetic images."""

    src: Path
    dst: Path
    ae: Path | None = None  # a checkpoint of train-ae; None: work on pixels
    method: Method = "smote"
    neighbours: int = 5  # k of SMOTE
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
        _check_range("--neighbours", self.neighbours, 1, 10_000)
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
    return int(match[1]), int(match[2] or match[1])


def check_size(size: tuple[int, int] | None) -> None:
    """Raise UserError unless the autoencoder can be built for (height, width); None passes."""
    if size is not None and not all(MIN_SIDE <= side <= MAX_SIDE for side in size):
        raise UserError(
            f"images of {size[0]}x{size[1]} pixels: the autoencoder takes "
            f"{MIN_SIDE} to {MAX_SIDE} a side",
            "choose another size with --image-size",
        )


def _check_range(option: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise UserError(f"{option} is {value}", f"give a whole number from {low} to {high}")


def _check_seed(seed: int) -> None:
    _check_range("--seed", seed, 0, 2**63 - 1)


def _check_device(device: str) -> None:
    if not re.fullmatch(r"auto|cpu|cuda(:\d{1,3})?", device):
        raise UserError(f"--device is {device!r}", "give auto, cpu, cuda or cuda:N")
