"""How a folder is balanced: what `generate` and the function `balanced` have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from imbsynth.configs.generating import Generating
from imbsynth.configs.reading import InMemory, Reading
from imbsynth.configs.shared import (
    IMAGES,
    BatchSize,
    OnDevice,
    PrecisionOption,
    Seeded,
    Sized,
    Src,
    one_of_two,
)
from imbsynth.configs.synthesis import AUGMENT, SYNTHESIS, Synthesis
from imbsynth.core.tables import AUGMENTATIONS, SAMPLERS, choices
from imbsynth.errors import UserError, option
from imbsynth.options import Option

_METHODS = {
    **choices(SAMPLERS),
    AUGMENT: "copies, each changed at random in its own way",
}


@dataclass(frozen=True, kw_only=True)
class Balancing(Generating, Synthesis, Sized, Reading, InMemory, Seeded, OnDevice):
    """A folder, how many synthetic images its classes get, and where these come from."""

    src: Src
    method: Annotated[str, Option("Where synthetic images come from.", choices=_METHODS)] = "smote"
    augment: Annotated[
        str,
        Option(
            f"What method {AUGMENT} does to a copy.",
            choices=choices(AUGMENTATIONS),
            panel=SYNTHESIS,
        ),
    ] = "affine"
    to: Annotated[
        int | None,
        Option("Images per class.", range=IMAGES, unset="as many as the largest class has"),
    ] = None
    per_class: Annotated[
        Path | None,
        Option(
            "Instead of one number for all: a file in YAML or JSON, one line `class: images` each.",
            metavar="FILE",
        ),
    ] = None
    batch_size: BatchSize = 500
    precision: PrecisionOption = "auto"

    @property
    def sized(self) -> bool:
        """A checkpoint has a size, and `_check_checkpoint` says so."""
        return super().sized or self.ae is not None or self.generator is not None

    def check_together(self) -> None:
        """One number of images, and one size."""
        super().check_together()
        if self.to is not None and self.per_class is not None:
            raise one_of_two("to", "per_class")
        for name, value in (("to", self.to), ("per_class", self.per_class)):
            if self.share is not None and value is not None:
                raise one_of_two("share", name)
        self._check_checkpoint("ae")
        self._check_checkpoint("generator")
        if self.ae is not None and self.method == AUGMENT:
            raise UserError(
                f"{option('method')} {AUGMENT} changes pixels, and {option('ae')} is for latent "
                "vectors",
                f"leave {option('ae')} out",
            )

    def _check_checkpoint(self, name: str) -> None:
        """Raise UserError for what does not go with a network in that field."""
        if getattr(self, name) is None:
            return
        for own in ("image_size", "fit"):
            if getattr(self, own) != getattr(type(self), own):
                raise UserError(
                    f"{option(own)} goes without {option(name)}: images are brought to the size "
                    "of the checkpoint, as they were for its training",
                    f"leave {option(own)} out",
                )
        if name == "generator":
            self._check_generator({"ae": self.ae, "method": self.method != type(self).method})

    def _check_generator(self, given: Mapping[str, object]) -> None:
        """Raise UserError for options of what a generator takes the place of."""
        for name in [name for name, value in given.items() if value]:
            raise UserError(
                f"{option(name)} and {option('generator')} exclude each other",
                "give one of them",
            )


@dataclass(frozen=True, kw_only=True)
class BalancedConfig(Balancing):
    """A folder as a data set in which synthetic images bring every class up to the largest."""

    fresh: Annotated[
        bool, Option("Make other synthetic images for every epoch, not the same ones for all.")
    ] = True
