"""The config of `aos-train`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from imbsynth.configs.backbones import Pretrained
from imbsynth.configs.grouping import Grouped
from imbsynth.configs.learning import Learning
from imbsynth.configs.recipes import RECIPES, options_of, with_recipe
from imbsynth.configs.shared import COUNT, TrainingBatch, one_of_two
from imbsynth.configs.synthesis import SYNTHESIS, Synthesis
from imbsynth.configs.training import Training
from imbsynth.configs.values import RECALLS
from imbsynth.core.tables import ATTACKS, SAMPLERS, choices
from imbsynth.errors import UserError, option
from imbsynth.kinds import PART, SHARE, Range
from imbsynth.options import Option

BALANCE = "Balancing"
DEFAULT_VAL_FRACTION = 0.2

_OVERSAMPLING = {
    "aos": "random copies, some moved towards the decision boundary",
    **choices(SAMPLERS),
    "rus": "as many as the smallest class has",
    "none": "the images as they are",
}


@with_recipe
@dataclass(frozen=True, kw_only=True)
class AosTrainConfig(Grouped, Learning, Pretrained, Synthesis, Training):
    """Train a classifier that finds the rare classes, and keep its best epoch.

    Rare classes are oversampled, and during training some of their images are moved towards and
    past the decision boundary (AOS). Real images that are held out from training choose the epoch,
    by macro F1 (or the last is kept). Look at CLF.png: loss, scores, and the recall of each class.
    """

    out: Annotated[
        Path,
        Option(
            "Checkpoint to write; the log CLF.jsonl and the curves CLF.png go beside it.",
            metavar="CLF.safetensors",
        ),
    ]
    recipe: Annotated[
        str,
        Option(
            "A set of options, each of which can also be given.",
            choices={name: recipe.help for name, recipe in RECIPES.items()},
        ),
    ] = "default"
    val: Annotated[
        Path | None,
        Option(
            "Folder of real images that choose the epoch.",
            metavar="DIR",
            source="classes",
            unset="a part of SRC is held out",
        ),
    ] = None
    val_fraction: Annotated[
        float | None,
        Option(
            "Share of each class that is held out, before oversampling.",
            range=PART,
            unset=f"{DEFAULT_VAL_FRACTION}, without a validation folder",
        ),
    ] = None
    allow_overlap: Annotated[
        bool,
        Option(
            "Validate also on synthetic images, and on images that training or its synthetic "
            "images depend on."
        ),
    ] = False
    oversample: Annotated[
        str, Option("How classes are balanced.", choices=_OVERSAMPLING, panel=BALANCE)
    ] = "aos"
    epsilon: Annotated[
        float,
        Option(
            "How far a pixel is moved at most; l2: in root mean square over the pixels.",
            unit="of the [0, 1] range",
            range=SHARE,
            panel=BALANCE,
        ),
    ] = 0.02
    tau: Annotated[
        float,
        Option(
            "Probability that an image of a minority class is moved.", range=SHARE, panel=BALANCE
        ),
    ] = 0.8
    attack: Annotated[
        str, Option("How images are moved.", choices=choices(ATTACKS), panel=BALANCE)
    ] = "fgsm"
    attack_steps: Annotated[
        int, Option("Steps of pgd.", unit="steps", range=Range(1, 10_000), panel=BALANCE)
    ] = 7
    attack_step_size: Annotated[
        float | None,
        Option(
            "How far one step of pgd moves a pixel.",
            unit="of the [0, 1] range",
            range=SHARE,
            unset="2.5 times epsilon, divided by the number of steps",
            panel=BALANCE,
        ),
    ] = None
    every: Annotated[
        int,
        Option(
            "Epochs for which moved images are used before they are drawn again.",
            unit="epochs",
            range=COUNT,
            panel=BALANCE,
        ),
    ] = 2
    minority_below: Annotated[
        float,
        Option(
            "A minority class has fewer than this share of the images of the largest class.",
            range=SHARE,
            panel=BALANCE,
        ),
    ] = 1.0
    synthetic_weight: Annotated[
        float,
        Option(
            "Weight of a synthetic image in the loss; that of a real one is 1.",
            range=SHARE,
            panel=SYNTHESIS,
        ),
    ] = 1.0
    real_last: Annotated[
        float,
        Option(
            "Which share of the epochs, the last ones, shows real images only: one of its class in "
            "place of each synthetic one, and none moved.",
            range=Range(0, 1, open_high=True),
            panel=SYNTHESIS,
        ),
    ] = 0.0
    split_norm: Annotated[
        bool,
        Option(
            "Normalise synthetic and moved images apart from real ones in training (AdvProp's "
            "separate batch statistics).",
            panel=SYNTHESIS,
        ),
    ] = False
    model: Annotated[
        str,
        Option(
            "Network: cnn (small and quick), resnet32 or resnet32-wide (for images of about 32 "
            "pixels), efficientnet_lite0 (1, 2), resnet18, mobilenet_v2 or any classifier of "
            "torchvision by its name, or timm/NAME, which needs `pip install imbsynth[timm]`.",
            metavar="NAME",
        ),
    ] = "cnn"
    want_recall: Annotated[
        dict[str, float] | None,
        Option(
            "Classes of which at least this share should be found. A threshold for the "
            "probability of each is chosen on the validation images and stored in the checkpoint; "
            "evaluate and predict apply it.",
            kind=RECALLS,
            unset="the likeliest class is predicted",
        ),
    ] = None
    epochs: Annotated[int, Option("Passes over the images.", range=COUNT)] = 20
    images_per_epoch: Annotated[
        int | None,
        Option(
            "Images per epoch, for an equal budget whatever the balancing.",
            range=Range(2, 1_000_000_000),
            unset="each image of the oversampled set once",
        ),
    ] = None
    batch_size: TrainingBatch = 128

    def presets(self) -> Mapping[str, Any]:
        """The options of the recipe."""
        return options_of(self.recipe, self.optimizer, freeze=self.freeze)

    @property
    def sized(self) -> bool:
        """Pretrained weights have a size."""
        return super().sized or self.pretrained is not None

    def check_together(self) -> None:
        """One source of validation images."""
        super().check_together()
        if self.val is not None and self.val_fraction is not None:
            raise one_of_two("val", "val_fraction")
        if self.val is not None and self.grouped:
            (given,) = self.grouping()
            raise UserError(
                f"{option(given)} is for holding out a part of SRC, and {option('val')} is given",
                "leave one of them out",
            )
        draws = self.oversample not in ("aos", "ros", "rus", "none")
        if self.share is not None and not draws:
            raise UserError(
                f"{option('share')} is for synthetic images, and {option('oversample')} "
                f"{self.oversample} makes none",
                f"give {option('oversample')} smote, or leave out {option('share')}",
            )
        if self.mix != "none" and (self.split_norm or self.synthetic_weight != 1):
            apart = option("split_norm" if self.split_norm else "synthetic_weight")
            raise UserError(
                f"{apart} tells real from synthetic images, and {option('mix')} {self.mix} blends "
                "them",
                "leave one of them out",
            )
        if self.freeze:
            self._check_frozen()
        if self.ae is not None and not draws:
            raise UserError(
                f"{option('ae')} is for synthetic images, and {option('oversample')} "
                f"{self.oversample} makes none",
                f"give {option('oversample')} smote, or leave out {option('ae')}",
            )

    def _check_frozen(self) -> None:
        """Raise UserError for what would change features, which are computed once."""
        moving = {
            f"{option('oversample')} aos": self.oversample == "aos",
            f"{option('mix')} {self.mix}": self.mix != "none",
            option("split_norm"): self.split_norm,
        }
        for given, wanted in moving.items():
            if wanted:
                raise UserError(
                    f"{given} changes what the backbone computes, and {option('freeze')} computes "
                    "it once",
                    "leave one of them out",
                )
