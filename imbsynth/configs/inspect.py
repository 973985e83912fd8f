"""The config of `inspect`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from imbsynth.configs.reading import Caching
from imbsynth.configs.shared import Replacing, Src, check_picture_name
from imbsynth.errors import UserError, option
from imbsynth.options import Option


@dataclass(frozen=True, kw_only=True)
class InspectConfig(Caching, Replacing):
    """Count classes, and find unreadable files, mixed sizes and images in two classes.

    Changes nothing. Sizes are height x width. Files of the same pixels are one image, whatever
    their format; images that are nearly the same (saved again, resized, brighter) take longer to
    find, and are looked for if asked.
    """

    src: Src
    near_duplicates: Annotated[
        bool, Option("Also find images that are nearly the same, within and across classes.")
    ] = False
    against: Annotated[
        Path | None,
        Option(
            "Another folder of images: which of its images are in this one too, the same or nearly "
            "the same? Test images among training images, for example.",
            metavar="DIR",
            source="loose",
        ),
    ] = None
    plot: Annotated[
        Path | None,
        Option("Picture to write: the most similar pairs, side by side.", metavar="FILE.png"),
    ] = None

    def check_together(self) -> None:
        """A picture of something."""
        super().check_together()
        check_picture_name(self.plot)
        if self.plot is not None and not self.near_duplicates and self.against is None:
            near, against = option("near_duplicates"), option("against")
            raise UserError(
                f"{option('plot')} shows images that are nearly the same",
                f"give {near} or {against} too, or leave it out",
            )
