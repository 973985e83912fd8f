"""The config of `imbalance`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from imbsynth.configs.shared import Dst, Linking, Replacing, Seeded, Src
from imbsynth.configs.values import COUNTS
from imbsynth.errors import UserError, option
from imbsynth.kinds import Range
from imbsynth.options import Option

Profile = Literal["exp", "linear", "step"]


@dataclass(frozen=True, kw_only=True)
class ImbalanceConfig(Linking, Seeded, Replacing):
    """Make an imbalanced copy of a folder, to experiment with.

    Images are drawn without replacement; DST/run.json lists every one. With the same seed, a
    smaller class is a part of a larger one.
    """

    src: Src
    dst: Dst
    counts: Annotated[
        tuple[int, ...] | dict[str, int] | None,
        Option("Images per class, in class-name order.", kind=COUNTS),
    ] = None
    counts_file: Annotated[
        Path | None, Option("YAML or JSON file with a line `class: images`.", metavar="FILE")
    ] = None
    profile: Annotated[
        Profile | None,
        Option(
            "Shape of the class sizes, with a ratio: they fall exponentially (exp) or linearly "
            "(linear) from the largest class down, or the smaller half of the classes is reduced "
            "(step)."
        ),
    ] = None
    ratio: Annotated[
        float | None,
        Option(
            "Largest class / smallest class.",
            range=Range(1),
            advice="give the largest class over the smallest, 1 or more",
        ),
    ] = None
    minority_fraction: Annotated[
        float | None,
        Option(
            "With a ratio: equalise the classes, then reduce this share of them, drawn at random "
            "(the procedure of the AOS paper).",
            range=Range(0, 1, open_high=True),
            advice="give the share of classes to reduce, in [0, 1), e.g. 0.8",
        ),
    ] = None

    def check_together(self) -> None:
        """Exactly one way of choosing the class sizes."""
        ways = [self.counts, self.counts_file, self.profile, self.minority_fraction]
        given = sum(way is not None for way in ways)
        profile, ratio, fraction = map(option, ("profile", "ratio", "minority_fraction"))
        if given != 1:
            raise UserError(
                f"{given} ways of choosing the class sizes are given, and one is needed",
                f"give one of {option('counts')}, {option('counts_file')}, {profile} with {ratio}, "
                f"or {ratio} with {fraction}",
            )
        needs_ratio = self.profile is not None or self.minority_fraction is not None
        if (self.ratio is not None) != needs_ratio:
            raise UserError(
                f"{ratio} goes with {profile} or {fraction}, and they need it",
                f"for example {profile} exp and {ratio} 100, or {ratio} 50 and {fraction} 0.8",
            )
