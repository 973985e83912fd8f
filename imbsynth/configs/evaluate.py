"""The config of `evaluate`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from imbsynth.configs.deciding import Deciding
from imbsynth.configs.reading import InMemory, Reading
from imbsynth.configs.shared import (
    BatchSize,
    OnDevice,
    PrecisionOption,
    Replacing,
    Seeded,
    Trained,
    one_of_two,
)
from imbsynth.errors import UserError, option
from imbsynth.kinds import Range
from imbsynth.options import Option


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig(Deciding, Reading, InMemory, Seeded, OnDevice, Replacing):
    """Score a classifier on real images: each class, and all classes equally weighted.

    ACSA is the mean recall; GM the root of mean recall times mean specificity; G-mean the
    geometric mean of the recalls, 0 if a class is never found. In brackets: 95 % bootstrap
    intervals over the test images. Classes with few training images come last, in bold.
    """

    checkpoint: Trained
    src: Annotated[
        Path,
        Option(
            "Folder of real images that it has not seen.",
            metavar="DIR",
            argument=True,
            source="classes",
        ),
    ]
    out: Annotated[
        Path | None,
        Option(
            "Folder to make, with metrics.json, predictions.csv, confusion.png, reliability.png, "
            "precision_recall.png and mistakes.png.",
            metavar="DIR",
        ),
    ] = None
    saliency: Annotated[
        bool,
        Option(
            "Also write saliency.png: which parts of the worst mistakes speak for the class "
            "predicted and for the true one (Grad-CAM). It needs `pip install imbsynth[saliency]`."
        ),
    ] = False
    allow_overlap: Annotated[
        bool,
        Option(
            "Include synthetic images and images that the classifier depends on; compare marks "
            "such scores."
        ),
    ] = False
    drop_overlap: Annotated[bool, Option("Leave these images out, and score the others.")] = False
    draws: Annotated[
        int, Option("Bootstrap samples for the intervals.", range=Range(100, 1_000_000))
    ] = 1000
    batch_size: BatchSize = 500
    precision: PrecisionOption = "fp32"

    def check_together(self) -> None:
        """Images that overlap are counted or left out, and pictures have a folder."""
        super().check_together()
        if self.saliency and self.out is None:
            raise UserError(
                f"{option('saliency')} is for a picture in the folder of {option('out')}",
                f"give {option('out')}, or leave out {option('saliency')}",
            )
        if self.allow_overlap and self.drop_overlap:
            raise one_of_two("allow_overlap", "drop_overlap")
