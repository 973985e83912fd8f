"""Fields of the commands that decode images: what they keep, in a cache and in memory."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from imbsynth.configs.shared import RUN, Checked
from imbsynth.configs.values import MEMORY
from imbsynth.options import Option


@dataclass(frozen=True, kw_only=True)
class Caching(Checked):
    """A command that decodes files which other commands decode too."""

    cache: Annotated[
        Path | None,
        Option(
            "Folder that keeps decoded images, by the content of their files: the next command "
            "that is given it reads the same pixels without decoding.",
            metavar="DIR",
            panel=RUN,
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class InMemory(Checked):
    """A command that holds the images of a folder."""

    memory: Annotated[
        str | None,
        Option(
            "Memory that images may take, with what is computed of each of them: a size such as "
            "8GB or 512MB, or a share of what is free, such as 50%. What has no room goes to a "
            "file and is read from there: images to the cache if there is one, all else to the "
            "temporary folder.",
            kind=MEMORY,
            panel=RUN,
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Drafting(Checked):
    """A command that brings images to a size while it decodes them."""

    draft: Annotated[
        bool,
        Option(
            "Decode JPEG files that are much larger than the wanted size at a half, a quarter or "
            "an eighth of their size: faster, and pixels seldom differ by more than two gray "
            "levels. Such files are recognised elsewhere by their bytes, no longer by their pixels."
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class Reading(Drafting, Caching):
    """A command that decodes images."""

    skip_unreadable: Annotated[
        bool, Option("Leave out files that cannot be decoded, and record them.")
    ] = False
