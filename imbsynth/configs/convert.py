"""The config of `convert`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from imbsynth.configs.reading import Reading
from imbsynth.configs.shared import SHARDS, Dst, FitOption, Replacing, check_fit
from imbsynth.configs.sizes import Size
from imbsynth.configs.values import CHANNELS, SIZE
from imbsynth.options import Option

Format = Literal["png", "jpg", "webp", "tiff", "bmp"]


@dataclass(frozen=True, kw_only=True)
class ConvertConfig(Reading, Replacing):
    """Copy the images of a folder in another size, gray or in colour, or in another format.

    With or without classes: files keep their places and names, apart from the suffix. What is
    written is what every command would read (upright, 8 bits per channel, transparency on black),
    without metadata. Convert before you split: images of another size are other images.
    """

    src: Annotated[
        Path,
        Option(
            "Folder of images, with or without classes; or tar shards, or an address.",
            metavar="SRC",
            argument=True,
            source="loose",
        ),
    ]
    dst: Dst
    image_size: Annotated[
        Size | None,
        Option(
            "Height x width in pixels of the images that are written; auto: each keeps its own.",
            kind=SIZE,
        ),
    ] = None
    fit: FitOption = "squash"
    channels: Annotated[
        int | None,
        Option(
            "With 1 all images become gray, with 3 all become RGB; auto: gray images stay gray, "
            "and colour images stay in colour.",
            kind=CHANNELS,
        ),
    ] = None
    format: Annotated[
        Format, Option("Format of the files: jpg loses a little (quality 95), the others nothing.")
    ] = "png"
    shards: Annotated[int | None, SHARDS] = None

    def check_together(self) -> None:
        """A size to fit images into."""
        super().check_together()
        check_fit(self.fit, sized=self.image_size is not None)
