"""How a classifier starts from weights that were trained on other images: fields of `aos-train`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from imbsynth.configs.shared import Checked
from imbsynth.configs.values import WEIGHTS
from imbsynth.errors import UserError, option
from imbsynth.kinds import SHARE, Range
from imbsynth.options import Option

BACKBONE = "Pretrained backbone"  # the panel
_VIEWS = Option(
    "How often the features of an image are computed: as it is, then augmented.",
    range=Range(1, 1000),
    panel=BACKBONE,
)


@dataclass(frozen=True, kw_only=True)
class Pretrained(Checked):
    """A command whose network may start from published weights."""

    pretrained: Annotated[
        Path | str | None,
        Option(
            "Weights that the network starts from, its head excepted. auto looks for published "
            "ones: in the cache of torch, in an installed package, then on torchvision's server. A "
            "file may hold any weights of the network. Images get the size and the normalisation "
            "that the weights were trained with.",
            kind=WEIGHTS,
            unset="random weights",
            panel=BACKBONE,
        ),
    ] = None
    freeze: Annotated[
        bool,
        Option(
            "Train the head alone, on features that the backbone computes once: minutes without a "
            "GPU. Classes are balanced by ros, unless another way is given.",
            panel=BACKBONE,
        ),
    ] = False
    views: Annotated[int, _VIEWS] = 4
    backbone_lr: Annotated[
        float,
        Option(
            "Learning rate of a pretrained backbone that is not frozen, as a share of that of the "
            "head.",
            range=SHARE,
            panel=BACKBONE,
        ),
    ] = 0.1

    def check_together(self) -> None:
        """Something to freeze."""
        super().check_together()
        if self.freeze and self.pretrained is None:
            raise UserError(
                f"{option('freeze')} keeps the weights of a backbone, and they are random",
                f"give {option('pretrained')} auto, or leave out {option('freeze')}",
            )
