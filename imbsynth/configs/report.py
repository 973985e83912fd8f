"""The config of `report`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from imbsynth.configs.shared import Replacing
from imbsynth.options import Option


@dataclass(frozen=True, kw_only=True)
class ReportConfig(Replacing):
    """Write one page on all outputs below a folder, to read, print or mail.

    It begins with the best result in one sentence. Then come verdicts, scores, trainings, synthetic
    images, audits and class counts, as far as they are there, with pictures, and the commands that
    make all of it again. The page is a single HTML file without scripts. Links are not followed;
    files that are damaged or unknown are listed.
    """

    src: Annotated[Path, Option("Folder with outputs of imbsynth.", metavar="DIR", argument=True)]
    out: Annotated[Path, Option("Page to write; may be in DIR.", metavar="FILE.html")]
