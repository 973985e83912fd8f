"""Fields that several commands have, each written once.

Where configs are declared, nothing is imported from __future__: annotations that are objects
already need not be evaluated as text at every start.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from imbsynth.configs.sizes import Fit
from imbsynth.configs.values import DEVICE, SIZE
from imbsynth.errors import UserError, option
from imbsynth.kinds import Range
from imbsynth.options import Option, check

Link = Literal["copy", "hard", "symbolic"]
Precision = Literal["auto", "fp32", "bf16"]

STATE = ".state"  # in the name of the file from which an interrupted run is resumed
RUN = "Run"  # the panel of what says how a run is carried out, not what it computes
COUNT = Range(1, 1_000_000)
IMAGES = Range(1, 1_000_000_000)

Src = Annotated[
    Path,
    Option(
        "Folder with one sub-folder of images per class; or tar shards of such images, or an "
        "address like s3://bucket/train.",
        metavar="SRC",
        argument=True,
        source="classes",
    ),
]
Trained = Annotated[Path, Option("Checkpoint written by aos-train.", metavar="CLF", argument=True)]
Dst = Annotated[Path, Option("Folder to make.", metavar="DST", argument=True)]
NEAREST_NEIGHBORS = Option(
    "How many nearest neighbors SMOTE chooses from.",
    range=Range(1, 10_000),
    old_names=("neighbours",),
)
BatchSize = Annotated[int, Option("Images per forward pass.", range=COUNT)]
TrainingBatch = Annotated[int, Option("Images per training step.", range=Range(2, 1_000_000))]
FitOption = Annotated[
    Fit,
    Option(
        "How an image of other proportions gets to that size.",
        choices={
            "squash": "stretched or squeezed",
            "crop": "the surplus is cut off, half of it on each side",
            "pad": "filled up with black, half of it on each side",
        },
    ),
]
PrecisionOption = Annotated[
    Precision,
    Option(
        "Arithmetic of the network: auto, fp32 or bf16. auto takes bf16 where the hardware "
        "multiplies in it."
    ),
]


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A config: its fields are checked when it is made, then the rules between them."""

    def __post_init__(self) -> None:
        check(self)
        self.check_together()

    def check_together(self) -> None:
        """Raise UserError for fields that do not go together."""

    def presets(self) -> Mapping[str, Any]:
        """What other fields, such as a recipe, make of fields that are not given."""
        return {}


@dataclass(frozen=True, kw_only=True)
class Seeded(Checked):
    """A command that makes random choices."""

    seed: Annotated[
        int, Option("Seed of every random choice.", range=Range(0, 2**63 - 1), panel=RUN)
    ] = 0


@dataclass(frozen=True, kw_only=True)
class OnDevice(Checked):
    """A command that computes on a device."""

    device: Annotated[
        str,
        Option("Where to compute; auto takes CUDA if there is one.", kind=DEVICE, panel=RUN),
    ] = "auto"


@dataclass(frozen=True, kw_only=True)
class Replacing(Checked):
    """A command that writes to a place where an output may be already."""

    force: Annotated[bool, Option("Replace an existing output of imbsynth.", panel=RUN)] = False


SHARDS = Option(
    "Write this number of tar shards, which WebDataset reads too, in place of image files.",
    range=Range(1, 100_000),
    metavar="N",
    unset="image files are written",
)


@dataclass(frozen=True, kw_only=True)
class Linking(Checked):
    """A command that takes image files over as they are."""

    link: Annotated[
        Link, Option("How files get into DST: as copies, or as hard or symbolic links.")
    ] = "copy"


@dataclass(frozen=True, kw_only=True)
class Sized(Checked):
    """A command that brings images to one size."""

    image_size: Annotated[
        tuple[int, int] | None,
        Option(
            "Size in pixels that images are resized to, height x width. auto takes the one size "
            "that all images have; for training, larger images are reduced to 64 pixels on the "
            "longer side (for torchvision's networks: 224).",
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


@dataclass(frozen=True, kw_only=True)
class Compared(Checked):
    """A command that compares synthetic images with real ones."""

    real: Annotated[
        Path,
        Option(
            "Folder of real images per class; or an output of generate, alone.",
            metavar="REAL",
            argument=True,
            source="classes",
        ),
    ]
    fake: Annotated[
        Path | None,
        Option(
            "Folder of synthetic images per class. Of an output of generate, only its synthetic "
            "images are taken.",
            metavar="FAKE",
            argument=True,
            source="classes",
        ),
    ] = None


def check_checkpoint_name(out: Path, field: str = "out") -> None:
    """Raise UserError for a name that a checkpoint cannot have; field: the one that has it."""
    if out.name in ("", ".."):
        raise UserError(f"{option(field)} is {str(out)!r}", "give a file, e.g. model.safetensors")
    if out.suffix != ".safetensors":
        raise UserError(
            f"{option(field)} {out}: checkpoints are .safetensors files",
            f"use {option(field)} {out.with_suffix('.safetensors')}",
        )
    if out.stem.endswith(STATE):
        raise UserError(
            f"{option(field)} {out}: names in .state.safetensors are those of interrupted runs",
            "choose a name that does not end in .state.safetensors",
        )


def check_picture_name(plot: Path | None) -> None:
    """Raise UserError for the name of a picture that is none of a PNG file."""
    if plot is not None and plot.suffix.lower() != ".png":
        name = option("plot")
        raise UserError(
            f"{name} {plot}: the picture is a .png file",
            f"use {name} {plot.with_suffix('.png')}" if plot.name else "give a file",
        )


def check_fit(fit: str, *, sized: bool) -> None:
    """Raise UserError for a way to get to a size where there is none."""
    if fit != "squash" and not sized:
        raise UserError(
            f"{option('fit')} says how images get to a size, and none is given",
            f"give {option('image_size')}, or leave it out",
        )


def one_of_two(first: str, second: str) -> UserError:
    """The error for two fields of which only one may be given."""
    return UserError(f"{option(first)} and {option(second)} are both given", "give one of them")
