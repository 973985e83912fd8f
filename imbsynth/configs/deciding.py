"""Fields of the commands that turn logits into probabilities and classes."""

from dataclasses import dataclass
from typing import Annotated, Literal

from imbsynth.configs.shared import Checked
from imbsynth.configs.values import TAU, TEMPERATURE
from imbsynth.options import Option

DECISIONS = "Probabilities and decisions"


@dataclass(frozen=True, kw_only=True)
class Deciding(Checked):
    """A command that turns a classifier's logits into probabilities and classes."""

    tau: Annotated[
        float | Literal["auto"],
        Option(
            "Logit adjustment: this times the logarithm of its share of the training images is "
            "subtracted from the logit of each class. 0 changes nothing, more finds more of the "
            "rare classes; auto is the value chosen on the validation images in training.",
            kind=TAU,
            panel=DECISIONS,
        ),
    ] = 0.0
    temperature: Annotated[
        float | Literal["auto"],
        Option(
            "What logits are divided by: above 1, probabilities are less extreme. auto is the "
            "value fitted to the validation images in training.",
            kind=TEMPERATURE,
            panel=DECISIONS,
        ),
    ] = 1.0
    ignore_thresholds: Annotated[
        bool,
        Option("Predict the likeliest class, whatever the stored thresholds.", panel=DECISIONS),
    ] = False
