"""The config of `class-weights`."""

from dataclasses import dataclass
from typing import Annotated

from imbsynth.configs.shared import Checked, Src
from imbsynth.kinds import PART
from imbsynth.options import Option


@dataclass(frozen=True, kw_only=True)
class ClassWeightsConfig(Checked):
    """Print a weight per class, for the loss of your own training code.

    Weights fall with the effective number of images (Cui et al., 2019). Their mean is 1.
    """

    src: Src
    beta: Annotated[
        float,
        Option("The closer to 1, the more weight rare classes get.", range=PART),
    ] = 0.999
