"""The config of `generate`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from imbsynth.configs.shared import (
    IMAGES,
    BatchSize,
    Dst,
    Linking,
    OnDevice,
    PrecisionOption,
    Reading,
    Replacing,
    Seeded,
    Sized,
    Src,
    one_of_two,
)
from imbsynth.configs.synthesis import AUGMENT, SYNTHESIS, Synthesis
from imbsynth.core.tables import AUGMENTATIONS, SAMPLERS, choices
from imbsynth.errors import UserError, option
from imbsynth.kinds import SHARE
from imbsynth.options import Option

_METHODS = {
    **choices(SAMPLERS),
    AUGMENT: "copies, each changed at random in its own way",
}


@dataclass(frozen=True, kw_only=True)
class GenerateConfig(Synthesis, Linking, Sized, Reading, Seeded, OnDevice, Replacing):
    """Bring every class up to the largest with synthetic images.

    DST holds the originals, the synthetic images (synthetic-000001.png ...), manifest.jsonl (what
    each is made of), run.json (how), and samples.png: look at it. Copies (--method ros, without a
    checkpoint or another size) are the files themselves, with their suffix.
    """

    src: Src
    dst: Dst
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
    min_probability: Annotated[
        float | None,
        Option(
            "Keep an image only if a classifier that has not seen its heaviest parent gives its "
            "class at least this probability, e.g. 0.3, and if it is no near-copy of a real image; "
            "the next rows of the plan take the place of others.",
            range=SHARE,
            metavar="P",
            unset="all are kept",
            panel=SYNTHESIS,
        ),
    ] = None
    synthetic_only: Annotated[bool, Option("Leave the originals out of DST.")] = False
    reconstruct_originals: Annotated[
        bool,
        Option(
            "Pass the originals through the autoencoder too, so that blur does not give a class "
            "away."
        ),
    ] = False
    batch_size: BatchSize = 500
    precision: PrecisionOption = "auto"

    @property
    def only_copies(self) -> bool:
        """Whether every synthetic image is a copy of an original."""
        is_copy = self.method in SAMPLERS and SAMPLERS[self.method].copies
        return is_copy and self.ae is None

    def check_together(self) -> None:
        """One number of images, and an autoencoder for what needs one."""
        super().check_together()
        if self.to is not None and self.per_class is not None:
            raise one_of_two("to", "per_class")
        for name, value in (("to", self.to), ("per_class", self.per_class)):
            if self.share is not None and value is not None:
                raise one_of_two("share", name)
        if self.ae is not None and self.image_size is not None:
            raise UserError(
                f"{option('image_size')} goes without {option('ae')}: the checkpoint has its own "
                "size",
                f"leave {option('image_size')} out",
            )
        if self.ae is not None and self.method == AUGMENT:
            raise UserError(
                f"{option('method')} {AUGMENT} changes pixels, and {option('ae')} is for latent "
                "vectors",
                f"leave {option('ae')} out",
            )
        if self.min_probability is not None and self.only_copies:
            raise UserError(
                f"{option('min_probability')} drops copies, and {option('method')} {self.method} "
                "makes nothing else",
                f"leave {option('min_probability')} out, or choose another {option('method')}",
            )
        reconstruct, alone = option("reconstruct_originals"), option("synthetic_only")
        if self.reconstruct_originals and self.ae is None:
            raise UserError(f"{reconstruct} needs an autoencoder", f"give {option('ae')}")
        if self.reconstruct_originals and self.synthetic_only:
            raise UserError(f"{reconstruct} and {alone} exclude each other", "give one of them")
        if self.reconstruct_originals and self.decode == "residual":
            raise UserError(
                f"{option('decode')} residual makes images as sharp as the originals, and "
                f"{reconstruct} would blur those",
                f"leave {reconstruct} out",
            )
