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
_DECODINGS = {
    "plain": "as the autoencoder decodes it",
    "residual": "the base image, changed by what decoding says has changed: as sharp as it is",
}
_DONORS = {
    "random": "any larger class, by its size",
    "nearest": "the larger class with the nearest mean",
}
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
        Option("How a latent vector becomes an image.", choices=_DECODINGS, panel=SYNTHESIS),
    ] = "plain"
    min_change: Annotated[
        float,
        Option(
            "By how much residual decoding lessens a pixel's change; a smaller one is not made.",
            unit="of the [0, 1] range",
            range=Range(0, 1),
            panel=SYNTHESIS,
        ),
    ] = 0.0
    k_neighbors: Annotated[int, replace(NEAREST_NEIGHBORS, panel=SYNTHESIS)] = 5
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
    donors: Annotated[
        str, Option("Which larger class transfer takes.", choices=_DONORS, panel=SYNTHESIS)
    ] = "random"
    donor_pairs: Annotated[
        str, Option("Which two images of it.", choices=_PAIRS, panel=SYNTHESIS)
    ] = "random"

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
        if self.decode == "residual" and self.ae is None:
            raise UserError(
                f"{option('decode')} residual needs an autoencoder", f"give {option('ae')}"
            )
        if self.decode != "residual" and self.min_change > 0:
            raise UserError(
                f"{option('min_change')} is for {option('decode')} residual",
                f"give {option('decode')} residual, or leave {option('min_change')} out",
            )
