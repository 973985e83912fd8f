"""Fields of the commands that bring images to one size."""

from dataclasses import dataclass
from typing import Annotated

from imbsynth.configs.shared import Checked
from imbsynth.configs.sizes import Fit
from imbsynth.configs.values import SIZE
from imbsynth.errors import UserError, option
from imbsynth.options import Option

FitOption = Annotated[
    Fit,
    Option(
        "How an image of other proportions gets to that size.",
        choices={
            "squash": "stretched or squeezed",
            "crop": "what is too much is cut off, half of it on each side",
            "pad": "what is missing is black, half of it on each side",
        },
    ),
]


def check_fit(fit: str, *, sized: bool) -> None:
    """Raise UserError for a way to get to a size where there is none."""
    if fit != "squash" and not sized:
        raise UserError(
            f"{option('fit')} says how images get to a size, and none is given",
            f"give {option('image_size')}, or leave it out",
        )


@dataclass(frozen=True, kw_only=True)
class Sized(Checked):
    """A command that brings images to one size."""

    image_size: Annotated[
        tuple[int, int] | None,
        Option(
            "Size in pixels that images are resized to, height x width. auto takes the one size "
            "that all images have; for training, larger ones are brought down to 64 pixels per "
            "side (torchvision's networks: 224).",
            kind=SIZE,
        ),
    ] = None
    fit: FitOption = "squash"

    @property
    def sized(self) -> bool:
        """Whether it is known to which size images are brought."""
        return self.image_size is not None

    def check_together(self) -> None:
        """A size to fit images into."""
        super().check_together()
        check_fit(self.fit, sized=self.sized)
