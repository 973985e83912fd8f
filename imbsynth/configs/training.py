"""Fields of the commands that train a network."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from imbsynth.configs.reading import InMemory, Reading
from imbsynth.configs.shared import (
    RUN,
    OnDevice,
    PrecisionOption,
    Replacing,
    Seeded,
    Sized,
    Src,
    check_checkpoint_name,
)
from imbsynth.configs.values import CHANNELS
from imbsynth.errors import UserError, option
from imbsynth.options import Option

TRACKERS = {"wandb": "Weights & Biases", "mlflow": "MLflow"}


@dataclass(frozen=True, kw_only=True)
class Training(Sized, Reading, InMemory, Seeded, OnDevice, Replacing):
    """A command that trains a network and writes a checkpoint."""

    src: Src
    out: Path
    channels: Annotated[
        int | None,
        Option(
            "Channels of the images; 1 makes colour gray. auto is 1 if no image shows a colour, "
            "however it is stored.",
            kind=CHANNELS,
        ),
    ] = None
    precision: PrecisionOption = "auto"
    resume: Annotated[
        bool,
        Option("Resume an interrupted run; start from the beginning if there is none.", panel=RUN),
    ] = False
    tensorboard: Annotated[
        Path | None,
        Option(
            "Folder for TensorBoard: the numbers of every epoch, in a sub-folder that is named "
            "after the checkpoint. It needs `pip install imbsynth[tensorboard]`.",
            metavar="DIR",
            unset="nothing is written",
            panel=RUN,
        ),
    ] = None

    track: Annotated[
        str | None,
        Option(
            "Send the numbers of every epoch to an experiment tracker. A resumed run continues "
            "where it stopped. Each needs `pip install imbsynth[NAME]`.",
            choices=TRACKERS,
            unset="nothing is sent",
            panel=RUN,
        ),
    ] = None

    def check_together(self) -> None:
        """One way to start, and a name that a checkpoint can have."""
        super().check_together()
        if self.resume and self.force:
            raise UserError(
                f"{option('resume')} and {option('force')} exclude each other",
                "give one of them",
            )
        check_checkpoint_name(self.out)
