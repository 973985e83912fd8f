"""The config of `train-generator`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from imbsynth.configs.shared import COUNT, TrainingBatch
from imbsynth.configs.sizes import check_size
from imbsynth.configs.training import Training
from imbsynth.core.tables import GENERATORS, Entry, choices
from imbsynth.errors import UserError, option
from imbsynth.kinds import PART, Range
from imbsynth.options import Option


@dataclass(frozen=True, kw_only=True)
class TrainGeneratorConfig(Training):
    """Train a network that makes images of a class, for `generate` with its checkpoint.

    Look at GEN.png, real images beside synthetic ones: it is drawn every few epochs. An adversarial
    training (bagan, gamo) may collapse, so that all images of a class are nearly the same; the
    command says so in the end. A run that is interrupted and resumed ends in the same weights.
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
        Option(
            "Passes over the images in which the autoencoder of bagan or gamo is trained first.",
            range=COUNT,
        ),
    ] = 50
    network: Annotated[
        str,
        Option(
            "How large the network of flow is.",
            choices={
                "small": "0.9 million weights: 28 to 32 pixels on a CPU in an hour",
                "large": "8 million weights, for a GPU",
            },
        ),
    ] = "small"
    flip: Annotated[
        bool,
        Option(
            "Let flow learn from images mirrored left to right too. It is told which ones are, and "
            "makes none itself."
        ),
    ] = False
    min_novelty: Annotated[
        float,
        Option(
            "End a run of flow when the distance of synthetic images to training images, in units "
            "of that of real images that were held out, is below this twice in a row; 0: never.",
            range=Range(0, 100),
        ),
    ] = 1.0
    epochs: Annotated[
        int,
        Option(
            "Passes over the images, at most; for bagan and gamo, of the adversarial training.",
            range=COUNT,
        ),
    ] = 100
    sheet_every: Annotated[
        int,
        Option(
            "How often the pictures are drawn again, and novelty is measured.",
            unit="epochs",
            range=COUNT,
        ),
    ] = 5
    batch_size: TrainingBatch = 64
    lr: Annotated[
        float | None,
        Option(
            "Learning rate of Adam, for bagan and gamo in the adversarial training.",
            range=PART,
            unset="5e-5 for bagan, 2e-4 for gamo, 1e-3 for flow",
        ),
    ] = None

    def check_together(self) -> None:
        """A size that the network can have, and options of its kind."""
        super().check_together()
        check_size(self.image_size)
        for entry in GENERATORS.values():
            self._check_options(entry)

    def _check_options(self, entry: Entry) -> None:
        """Raise UserError for an option of this kind of generator, if another one is trained."""
        for name in set(entry.options) - set(GENERATORS[self.kind].options):
            if getattr(self, name) != getattr(type(self), name):
                raise UserError(
                    f"{option(name)} is for {option('kind')} {entry.name}, not for {self.kind}",
                    f"leave {option(name)} out",
                )
