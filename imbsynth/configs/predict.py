"""The config of `predict`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from imbsynth.configs.deciding import Deciding
from imbsynth.configs.reading import Reading
from imbsynth.configs.shared import BatchSize, Link, OnDevice, PrecisionOption, Replacing, Trained
from imbsynth.kinds import PATHS
from imbsynth.options import Option


@dataclass(frozen=True, kw_only=True)
class PredictConfig(Deciding, Reading, OnDevice, Replacing):
    """Classify images without labels, and show those to look at first.

    Any number of images, in the folder and below it, or one by one. Sheets show the images of
    which the classifier is least and most certain, by predicted class. The margin is the
    difference of the two highest probabilities.
    """

    checkpoint: Trained
    src: Annotated[
        tuple[Path, ...],
        Option(
            "A folder of images, tar shards, an address, or image files.",
            metavar="IMAGES",
            argument=True,
            kind=PATHS,
            source="loose",
        ),
    ]
    out: Annotated[
        Path,
        Option(
            "Folder to make, with predictions.csv, predictions.jsonl, least_certain.png and "
            "most_certain.png.",
            metavar="DIR",
        ),
    ]
    sort_into: Annotated[
        Path | None,
        Option(
            "Folder to make, with the image files in one sub-folder per predicted class.",
            metavar="DIR",
            unset="files are not sorted",
        ),
    ] = None
    link: Annotated[
        Link, Option("How files get there: as copies, or as hard or symbolic links.")
    ] = "symbolic"
    batch_size: BatchSize = 500
    precision: PrecisionOption = "fp32"
