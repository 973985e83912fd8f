"""How an image gets upright and to a size."""

from __future__ import annotations

from PIL import Image, ImageOps

from imbsynth.configs import Fit, Size

DRAFTED = 2  # times the wanted pixels per side: below that, the difference can be seen
# Where Pillow puts EXIF data; the second is how ImageMagick used to write it into PNG.
_EXIF_KEYS = frozenset({"exif", "Raw profile type exif"})
_ORIENTATION = 0x0112  # the EXIF tag
_ON_ITS_SIDE = frozenset({5, 6, 7, 8})  # its values for images turned by a quarter


def is_turned(image: Image.Image) -> bool:
    """Whether its EXIF data says that it is shown otherwise than it is stored."""
    return not _EXIF_KEYS.isdisjoint(image.info) and image.getexif().get(_ORIENTATION, 1) != 1


def lies_on_its_side(image: Image.Image) -> bool:
    """Whether it is shown turned by a quarter."""
    return is_turned(image) and image.getexif()[_ORIENTATION] in _ON_ITS_SIDE


def scaled_on_decoding(image: Image.Image, size: Size) -> bool:
    """Have a JPEG decoder leave out the high frequencies that `size` has no room for; whether.

    It computes a half, a quarter or an eighth of the pixels per side from the DCT coefficients,
    still at least `DRAFTED` times what is wanted: the filter of `resized_to` has the last word.
    """
    height, width = size[::-1] if lies_on_its_side(image) else size
    before = image.size
    image.draft(None, (DRAFTED * width, DRAFTED * height))  # does nothing for other formats
    return image.size != before


def resized_to(image: Image.Image, size: Size, fit: Fit) -> Image.Image:
    """An image of (height, width) pixels.

    "squash" stretches or squeezes it; "crop" keeps its proportions and cuts off what is too much on
    both sides; "pad" keeps all of it and its proportions, in the middle of black.
    """
    wanted, how = (size[1], size[0]), Image.Resampling.BICUBIC
    if fit == "crop":
        return ImageOps.fit(image, wanted, how)
    if fit == "pad":
        return ImageOps.pad(image, wanted, how, color=0)
    return image.resize(wanted, how)
