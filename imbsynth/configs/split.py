"""The config of `split`."""

import math
from dataclasses import dataclass
from typing import Annotated

from imbsynth.configs.grouping import Grouped
from imbsynth.configs.reading import Caching
from imbsynth.configs.shared import Dst, Linking, Replacing, Seeded, Src, one_of_two
from imbsynth.configs.values import FRACTIONS
from imbsynth.errors import UserError, option
from imbsynth.kinds import Range
from imbsynth.options import Option

DEFAULT_FRACTIONS = (0.8, 0.1, 0.1)
PARTS = {2: ("train", "test"), 3: ("train", "val", "test")}  # by the number of fractions


@dataclass(frozen=True, kw_only=True)
class SplitConfig(Grouped, Caching, Linking, Seeded, Replacing):
    """Split a folder into training, validation and test parts, each with its share of each class.

    Every part gets at least one image of every class. Images that show the same stay together, and
    so do groups: the parts then come as close to their shares as whole groups allow.
    """

    src: Src
    dst: Dst
    fractions: Annotated[
        tuple[float, ...] | None,
        Option(
            "Shares of train,test or train,val,test; they add up to 1.",
            unset=FRACTIONS.record(DEFAULT_FRACTIONS),
            kind=FRACTIONS,
        ),
    ] = None
    folds: Annotated[
        int | None,
        Option(
            "Number of cross-validation folds, instead of fractions: DST/fold-I/train and "
            "DST/fold-I/test.",
            range=Range(2),
        ),
    ] = None

    def check_together(self) -> None:
        """Fractions that add up to 1, or folds."""
        super().check_together()
        if self.folds is not None and self.fractions is not None:
            raise one_of_two("fractions", "folds")
        total = sum(self.fractions or DEFAULT_FRACTIONS)
        if not math.isclose(total, 1, abs_tol=1e-6):
            raise UserError(f"{option('fractions')} add up to {total:g}", "let them add up to 1")

    def shares(self) -> list[float]:
        """The share of each part; of folds, of each fold."""
        return [1 / self.folds] * self.folds if self.folds else list(self.parts().values())

    def parts(self) -> dict[str, float]:
        """The share of each part by name, in the order train, val, test."""
        shares = self.fractions or DEFAULT_FRACTIONS
        return dict(zip(PARTS[len(shares)], shares, strict=True))
