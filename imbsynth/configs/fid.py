"""The config of `fid`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from imbsynth.configs.reading import Reading
from imbsynth.configs.shared import (
    COUNT,
    Compared,
    OnDevice,
    PrecisionOption,
    Replacing,
    Seeded,
    Sized,
    check_picture_name,
)
from imbsynth.errors import UserError, option
from imbsynth.options import Option

Resize = Literal["tf1", "clean"]


@dataclass(frozen=True, kw_only=True)
class FidConfig(Compared, Sized, Reading, Seeded, OnDevice, Replacing):
    """Fréchet distance of synthetic images to real ones, pooled and class by class.

    With one folder, an output of generate, its synthetic images are compared with its real ones.
    """

    features: Annotated[
        str,
        Option(
            "What images are compared by. Inception's features give the FID of the literature; "
            "pixels and a checkpoint of imbsynth need no download.",
            metavar="inception|pixels|CHECKPOINT",
        ),
    ] = "inception"
    weights: Annotated[
        Path | None,
        Option(
            "Weights of Inception, checked by digest.",
            metavar="FILE",
            unset="looked for, then downloaded",
        ),
    ] = None
    resize: Annotated[
        Resize,
        Option(
            "How images are brought to Inception's 299 pixels: tf1 as in TensorFlow 1 and "
            "torch-fidelity, clean with antialiasing."
        ),
    ] = "tf1"
    kid: Annotated[bool, Option("Also the kernel distance (KID): unbiased, with its error.")] = (
        False
    )
    precision_recall: Annotated[bool, Option("Also precision, recall, density and coverage.")] = (
        False
    )
    cache: Annotated[
        Path | None,
        Option(
            "Folder that keeps the statistics of each class, by the content of its images, and "
            "decoded images.",
            metavar="DIR",
        ),
    ] = None
    plot: Annotated[
        Path | None,
        Option(
            "Picture to write: a bar per class, and a t-SNE map of real and synthetic images.",
            metavar="FILE.png",
        ),
    ] = None
    batch_size: Annotated[
        int | None,
        Option(
            "Images per pass through the features.",
            range=COUNT,
            unset="32 for inception, 500 otherwise",
        ),
    ] = None
    precision: PrecisionOption = "fp32"

    def check_together(self) -> None:
        """Options of the features that are chosen, and a picture that is one."""
        features, size = option("features"), option("image_size")
        if self.features != "inception" and (self.weights is not None or self.resize != "tf1"):
            raise UserError(
                f"{option('weights')} and {option('resize')} are for Inception, and {features} is "
                f"{self.features}",
                "leave them out",
            )
        if self.features != "pixels" and self.image_size is not None:
            raise UserError(
                f"{size} goes with {features} pixels: a network has its own size",
                f"leave {size} out",
            )
        check_picture_name(self.plot)
