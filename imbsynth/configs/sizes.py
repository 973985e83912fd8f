"""Image sizes that the networks can be built for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from imbsynth.errors import UserError, option

Size = tuple[int, int]  # (height, width) in pixels
Fit = Literal["squash", "crop", "pad"]  # how an image of another shape is brought to a size

MIN_SIDE, MAX_SIDE = 8, 256  # pixels, the sizes that the autoencoder is built and tested for
# Pixels: the sides that the script's decoder can make, up to where it has 200 million weights.
SCRIPTS_SIDES = range(16, 66, 2)
MAX_CLASSIFIED_SIDE = 1024  # pixels
# Pixels of the longer side that "auto" keeps for a network: more costs much and shows it little.
USUAL_SIDE = 64  # of networks for images of 28 or 32 pixels
USUAL_PHOTOGRAPH = 224  # of torchvision's


def size_text(size: Sequence[int]) -> str:
    """ "HxW"."""
    return f"{size[0]}x{size[1]}"


def within(size: Size, longest: int) -> Size:
    """The size of an image brought down to `longest` pixels on its longer side, in even numbers."""
    if max(size) <= longest:
        return size
    height, width = (max(MIN_SIDE, 2 * round(side * longest / max(size) / 2)) for side in size)
    return height, width


def check_size(
    size: Sequence[int] | None, largest: int = MAX_SIDE, network: str = "the autoencoder"
) -> None:
    """Raise UserError unless the network can be built for (height, width); None passes."""
    if size is not None and not all(MIN_SIDE <= side <= largest for side in size):
        raise UserError(
            f"images of {size[0]}x{size[1]} pixels: {network} takes {MIN_SIDE} to {largest} pixels "
            "per side",
            f"choose another size with {option('image_size')}",
        )


def check_decoder(decoder: str, size: Sequence[int]) -> None:
    """Raise UserError unless the decoder makes images of (height, width)."""
    if decoder == "script" and not all(side in SCRIPTS_SIDES for side in size):
        raise UserError(
            f"images of {size[0]}x{size[1]} pixels: the script's decoder makes even sizes of "
            f"{SCRIPTS_SIDES[0]} to {SCRIPTS_SIDES[-1]} pixels per side",
            f"choose another size with {option('image_size')}, or leave out "
            f"{option('decoder')} script",
        )
