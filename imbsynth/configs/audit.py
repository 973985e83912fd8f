"""The config of `audit`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from imbsynth.configs.reading import InMemory, Reading
from imbsynth.configs.shared import COUNT, Compared, OnDevice, Replacing, Seeded, Sized
from imbsynth.kinds import Range
from imbsynth.options import Option

LIMITS = "Limits"  # the panel
_LIMIT = Range(0, 1)


@dataclass(frozen=True, kw_only=True)
class AuditConfig(Compared, Sized, Reading, InMemory, Seeded, OnDevice, Replacing):
    """Check synthetic images before they train a classifier; exit code 3 if a limit is passed.

    Can a probe tell them from real ones, and by what? Are they still of their class, as judged by a
    classifier that has not seen the images they are made of? Are they more than copies? With one
    folder, an output of generate, its synthetic images are compared with its real ones.
    """

    out: Annotated[
        Path | None,
        Option("Folder to make, with audit.json and audit.png: look at it.", metavar="DIR"),
    ] = None
    max_auroc: Annotated[
        float,
        Option(
            "How well the probe may tell synthetic images from real ones (AUROC; 0.5: not at all).",
            range=_LIMIT,
            panel=LIMITS,
        ),
    ] = 0.9
    min_fidelity: Annotated[
        float,
        Option(
            "How many synthetic images the judge must name as their class, as a share of how many "
            "real ones it names right.",
            range=_LIMIT,
            panel=LIMITS,
        ),
    ] = 0.9
    max_near_copies: Annotated[
        float,
        Option("Which share may be near-copies of real images.", range=_LIMIT, panel=LIMITS),
    ] = 0.5
    most: Annotated[
        int,
        Option(
            "Real and synthetic images per class and half; more are left out at random.",
            range=COUNT,
        ),
    ] = 500
    epochs: Annotated[int, Option("Passes of the judge over the real images.", range=COUNT)] = 5
