"""How a classifier learns from its images: the fields of `aos-train` on loss, images and steps."""

from dataclasses import dataclass
from typing import Annotated, Literal

from imbsynth.configs.shared import Checked
from imbsynth.core.tables import (
    AUGMENTATIONS,
    FEATURE_SAMPLERS,
    LOSSES,
    MIXINGS,
    OPTIMISERS,
    SCHEDULES,
    choices,
)
from imbsynth.errors import UserError, option
from imbsynth.kinds import PART, SHARE, Range
from imbsynth.options import Option

Keep = Literal["best", "last"]
LEARNING = "Learning"
BELOW_ONE = Range(0, 1, open_high=True)
_AUGMENTING = {"none": "no changes", **choices(AUGMENTATIONS)}
_MIXING = {"none": "not at all", **choices(MIXINGS)}
_HEAD_SYNTHESIS = {"none": "no such head", **choices(FEATURE_SAMPLERS)}


@dataclass(frozen=True, kw_only=True)
class Learning(Checked):
    """A command that trains a classifier."""

    augment: Annotated[
        str, Option("Random changes to every batch.", choices=_AUGMENTING, panel=LEARNING)
    ] = "affine"
    mix: Annotated[
        str, Option("How images are mixed with each other.", choices=_MIXING, panel=LEARNING)
    ] = "none"
    mix_alpha: Annotated[
        float | None,
        Option(
            "How evenly they are mixed: the parameter of the Beta distribution.",
            range=Range(0, 100, open_low=True),
            unset="0.2 for mixup, 1 for the others",
            panel=LEARNING,
        ),
    ] = None
    mix_share: Annotated[
        float, Option("Share of the batches that are mixed.", range=SHARE, panel=LEARNING)
    ] = 1.0
    loss: Annotated[
        str, Option("What training minimises.", choices=choices(LOSSES), panel=LEARNING)
    ] = "cross-entropy"
    beta: Annotated[
        float,
        Option(
            "For class-balanced, and for ldam when it weighs classes: the closer to 1, the more "
            "weight rare classes get.",
            range=PART,
            panel=LEARNING,
        ),
    ] = 0.9999
    defer: Annotated[
        float | None,
        Option(
            "Last part of the training in which the loss favours rare classes; balanced-softmax: "
            "more and more.",
            range=SHARE,
            unset="all of it; ldam does not weigh classes then",
            panel=LEARNING,
        ),
    ] = None
    label_smoothing: Annotated[
        float,
        Option(
            "Share of every label that is spread over all classes.",
            range=BELOW_ONE,
            panel=LEARNING,
        ),
    ] = 0.0
    optimizer: Annotated[
        str,
        Option("How weights follow the gradient.", choices=choices(OPTIMISERS), panel=LEARNING),
    ] = "adam"
    lr: Annotated[float, Option("Learning rate at its highest.", range=PART, panel=LEARNING)] = 1e-3
    momentum: Annotated[
        float, Option("Momentum of sgd, Nesterov's.", range=BELOW_ONE, panel=LEARNING)
    ] = 0.9
    weight_decay: Annotated[
        float,
        Option("Weight decay, of all but biases and norms.", range=Range(0, 1), panel=LEARNING),
    ] = 0.0
    warm_up: Annotated[
        float,
        Option(
            "First part of the training, in which the learning rate rises from 0.",
            range=BELOW_ONE,
            panel=LEARNING,
        ),
    ] = 0.0
    schedule: Annotated[
        str,
        Option(
            "How the learning rate changes after that.", choices=choices(SCHEDULES), panel=LEARNING
        ),
    ] = "cosine"
    ema: Annotated[
        float,
        Option(
            "Judge and keep a moving average of the weights: its decay per step, e.g. 0.999; 0 "
            "keeps the weights themselves.",
            range=BELOW_ONE,
            metavar="DECAY",
            panel=LEARNING,
        ),
    ] = 0.0
    sam: Annotated[
        float,
        Option(
            "Sharpness-aware minimisation: descend where the loss is highest within this distance, "
            "e.g. 0.05; takes twice as long. 0: plain descent.",
            range=Range(0, 1),
            metavar="RHO",
            panel=LEARNING,
        ),
    ] = 0.0
    keep: Annotated[
        Keep,
        Option(
            "Which epoch is kept.",
            choices={
                "best": "the one with the best macro F1 on the validation images",
                "last": "the last one, as the literature on long-tailed classes does",
            },
            panel=LEARNING,
        ),
    ] = "best"
    head_epochs: Annotated[
        int,
        Option(
            "Passes in which the head (the last layer) is trained again, on all classes equally "
            "often, when the rest is trained; validation decides what is kept. 0: not at all.",
            unit="epochs",
            range=Range(0, 1_000_000),
            panel=LEARNING,
        ),
    ] = 0
    head_synthesis: Annotated[
        str,
        Option(
            "Train the head again on real and synthetic features (inputs of the head) of every "
            "class instead. It is kept unless validation images show that it is worse.",
            choices=_HEAD_SYNTHESIS,
            panel=LEARNING,
        ),
    ] = "none"
    donor_pull: Annotated[
        float,
        Option(
            "How far calibrated features are moved towards the mean of the larger classes; the "
            "paper's value is 0.67.",
            range=Range(0, 1),
            panel=LEARNING,
        ),
    ] = 0.0

    def check_together(self) -> None:
        """Something to defer, and a head to train on synthetic features."""
        super().check_together()
        if self.head_synthesis != "none" and not self.head_epochs:
            raise UserError(
                f"{option('head_synthesis')} is for a head that is trained again, and "
                f"{option('head_epochs')} is 0",
                f"give {option('head_epochs')} 10, or leave out {option('head_synthesis')}",
            )
        if self.defer is not None and "defer" not in LOSSES[self.loss].options:
            able = ", ".join(name for name, entry in LOSSES.items() if "defer" in entry.options)
            raise UserError(
                f"{option('defer')} is for losses that favour rare classes, and {option('loss')} "
                f"{self.loss} does not",
                f"give {option('loss')} one of {able}, or leave out {option('defer')}",
            )
