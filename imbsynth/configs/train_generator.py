"""The config of `train-generator`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from imbsynth.configs.shared import COUNT, TrainingBatch
from imbsynth.configs.sizes import check_size
from imbsynth.configs.training import Training
from imbsynth.core.tables import GENERATORS, choices
from imbsynth.kinds import PART, Range
from imbsynth.options import Option


@dataclass(frozen=True, kw_only=True)
class TrainGeneratorConfig(Training):
    """Train a network that makes images of a class, for `generate` with its checkpoint.

    Look at GEN.png, real images beside synthetic ones: it is drawn every few epochs. Such a
    training may collapse, so that all images of a class are nearly the same; the command says so in
    the end. A run that is interrupted and resumed ends in the same weights.
    """

    kind: Annotated[str, Option("What is trained.", choices=choices(GENERATORS))]
    out: Annotated[
        Path,
        Option(
            "Checkpoint to write; the log GEN.jsonl and the pictures GEN.png go beside it.",
            metavar="GEN.safetensors",
        ),
    ]
    latent_dim: Annotated[
        int,
        Option(
            "Size of the latent vector of the autoencoder; gamo has one for colour only.",
            range=Range(1, 1024),
        ),
    ] = 100
    pretrain_epochs: Annotated[
        int,
        Option("Passes over the images in which an autoencoder is trained first.", range=COUNT),
    ] = 50
    epochs: Annotated[
        int, Option("Passes over the images after that: the adversarial training.", range=COUNT)
    ] = 100
    sheet_every: Annotated[
        int, Option("How often the pictures are drawn again.", unit="epochs", range=COUNT)
    ] = 5
    batch_size: TrainingBatch = 64
    lr: Annotated[
        float | None,
        Option(
            "Learning rate of Adam in the adversarial training.",
            range=PART,
            unset="5e-5 for bagan, 2e-4 for gamo",
        ),
    ] = None

    def check_together(self) -> None:
        """A size that the autoencoder can have."""
        super().check_together()
        check_size(self.image_size)
