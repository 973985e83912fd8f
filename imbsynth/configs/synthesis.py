"""Fields of the commands that draw synthetic images."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from imbsynth.configs.shared import NEAREST_NEIGHBORS, Checked
from imbsynth.configs.values import INTERVAL
from imbsynth.errors import UserError, option
from imbsynth.kinds import Range
from imbsynth.options import Option

AUGMENT = "augment"  # the method of generate that copies images and changes them
SYNTHESIS = "Synthetic images"  # the panel
RESIDUAL = "residual"  # decoding
_DECODINGS = {
    RESIDUAL: "the base image, changed by what decoding says has changed: as sharp as it is",
    "plain": "as the autoencoder decodes it, and as in the DeepSMOTE paper",
}
_DONORS = Option(
    "Which larger class transfer takes.",
    choices={
        "random": "any larger class, by its size",
        "nearest": "the larger class with the nearest mean",
    },
    panel=SYNTHESIS,
)
_ENERGY_UNITS = {
    "median": "the median distance of an image of the class to its nearest enemy",
    "absolute": "as in the paper, a distance",
}
_OWN_SHARE = Option(
    "Share of the nearest neighbors of an image that must be of its class for amdo.",
    range=Range(0, 1),
    panel=SYNTHESIS,
)
_ENERGY = Option(
    "How much a sphere of ccr grows: its radius, while no enemy is inside.",
    range=Range(0, 1000, open_low=True),
    panel=SYNTHESIS,
)
_IN_MEDIANS = replace(_ENERGY, unit="median distances")
_CLEANING = {
    "move": "they are pushed to the surface; images of the folder stay as they are",
    "ignore": "they are left there",
}
_NEIGHBORS = (
    "How many nearest neighbors smote chooses from, in the class; how many amdo looks at, in all "
    "classes."
)
_PAIRS = {"random": "any two images", "neighbors": "an image and one of its 5 nearest neighbors"}
_SHARE = (
    "Which share of every class, the largest too, is synthetic: then being synthetic says nothing "
    "about the class. generate leaves the ratios of the class sizes as they are; aos-train evens "
    "them out with copies."
)


@dataclass(frozen=True, kw_only=True)
class Synthesis(Checked):
    """A command that draws synthetic images."""

    ae: Annotated[
        Path | None,
        Option(
            "Draw synthetic images in the latent space of this checkpoint of train-ae (DeepSMOTE).",
            metavar="AE.safetensors",
            unset="in pixels",
            panel=SYNTHESIS,
        ),
    ] = None
    decode: Annotated[
        str,
        Option(
            "How a latent vector of the autoencoder becomes an image.",
            choices=_DECODINGS,
            panel=SYNTHESIS,
        ),
    ] = RESIDUAL
    min_change: Annotated[
        float,
        Option(
            "By how much residual decoding lessens a pixel's change; a smaller one is not made.",
            unit="of the [0, 1] range",
            range=Range(0, 1),
            panel=SYNTHESIS,
        ),
    ] = 0.0
    k_neighbors: Annotated[int, replace(NEAREST_NEIGHBORS, help=_NEIGHBORS, panel=SYNTHESIS)] = 5
    lambda_range: Annotated[
        tuple[float, float],
        Option(
            "How far smote goes from an image towards its neighbor: LOW to HIGH, uniformly.",
            kind=INTERVAL,
            panel=SYNTHESIS,
        ),
    ] = (0.0, 1.0)
    strength: Annotated[
        float,
        Option(
            "What part of the difference of two images of a larger class transfer adds.",
            range=Range(0, 10),
            panel=SYNTHESIS,
        ),
    ] = 0.3
    donors: Annotated[str, _DONORS] = "random"
    donor_pairs: Annotated[
        str, Option("Which two images of it.", choices=_PAIRS, panel=SYNTHESIS)
    ] = "random"

    own_share: Annotated[float, _OWN_SHARE] = 0.4
    energy: Annotated[float, _ENERGY] = 1.0
    energy_unit: Annotated[
        str, Option("What energy is measured in.", choices=_ENERGY_UNITS, panel=SYNTHESIS)
    ] = "median"
    clean: Annotated[
        str,
        Option(
            "What ccr does with images of larger classes inside its spheres.",
            choices=_CLEANING,
            panel=SYNTHESIS,
        ),
    ] = "move"
    gamma: Annotated[float, replace(_IN_MEDIANS, help="Width of the potential of rbo.")] = 0.25
    walk_step: Annotated[
        float, replace(_IN_MEDIANS, help="By how much a step of rbo changes a value.")
    ] = 0.001
    walk_stop: Annotated[
        float, replace(_OWN_SHARE, help="Probability that rbo stops before a step.")
    ] = 0.02
    share: Annotated[
        float | None,
        Option(
            _SHARE,
            range=Range(0, 1, open_high=True),
            unset="as many as a class lacks",
            panel=SYNTHESIS,
        ),
    ] = None

    def check_together(self) -> None:
        """An autoencoder for what needs one."""
        super().check_together()
        change = option("min_change")
        if self.min_change > 0 and self.ae is None:
            raise UserError(f"{change} needs an autoencoder", f"give {option('ae')}")
        if self.min_change > 0 and self.decode != RESIDUAL:
            raise UserError(
                f"{change} is for {option('decode')} {RESIDUAL}",
                f"give {option('decode')} {RESIDUAL}, or leave {change} out",
            )
