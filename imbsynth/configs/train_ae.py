"""The config of `train-ae`."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from imbsynth.configs.shared import COUNT, TrainingBatch
from imbsynth.configs.sizes import check_size
from imbsynth.configs.training import Training
from imbsynth.core.tables import AUTOENCODER_LOSSES, choices
from imbsynth.kinds import PART, Range
from imbsynth.options import Option

Decoder = Literal["mirrored", "script"]
Penalty = Literal["permuted", "aligned", "none"]


@dataclass(frozen=True, kw_only=True)
class TrainAeConfig(Training):
    """Train DeepSMOTE's autoencoder on a folder of images.

    Look at AE.png, originals and their reconstructions: synthetic images will be as sharp as
    these. A run that is interrupted and resumed ends in the same weights. (Dablain et al., 2022,
    Algorithm 1)
    """

    out: Annotated[
        Path,
        Option(
            "Checkpoint to write; the log AE.jsonl and the pictures AE.png go beside it.",
            metavar="AE.safetensors",
        ),
    ]
    latent_dim: Annotated[
        int | None,
        Option(
            "Size of the latent vector.",
            range=Range(1, 65_536),
            unset="300 for gray images, 600 for colour",
        ),
    ] = None
    decoder: Annotated[
        Decoder,
        Option(
            "Kind of decoder: mirrored, as in the paper; or script, as in the authors' public "
            "script: larger, slower, for even sizes of 16 to 64 pixels."
        ),
    ] = "mirrored"
    epochs: Annotated[int, Option("Passes over the images, at most.", range=COUNT)] = 200
    patience: Annotated[
        int,
        Option(
            "Stop after this many epochs without progress; 0 never stops.",
            unit="epochs",
            range=Range(0, 1_000_000),
        ),
    ] = 10
    batch_size: TrainingBatch = 100
    lr: Annotated[float, Option("Learning rate of Adam.", range=PART)] = 2e-4
    loss: Annotated[
        str,
        Option(
            "How reconstructions are compared with images.", choices=choices(AUTOENCODER_LOSSES)
        ),
    ] = "mse"
    penalty: Annotated[
        Penalty,
        Option(
            "What the decoded, permuted latent vectors of a batch of one class are compared with: "
            "the batch in its original order (permuted, as in the paper), in the same order "
            "(aligned, as in the authors' script), or nothing (none)."
        ),
    ] = "aligned"
    penalty_weight: Annotated[
        float, Option("Weight of the penalty loss.", range=Range(0, math.inf))
    ] = 1.0

    def check_together(self) -> None:
        """A size that the autoencoder can have."""
        super().check_together()
        check_size(self.image_size)
