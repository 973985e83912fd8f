"""Options by which a user says which images belong together."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from imbsynth.configs.shared import Checked, one_of_two
from imbsynth.configs.values import PATTERN
from imbsynth.options import Option


@dataclass(frozen=True, kw_only=True)
class Grouped(Checked):
    """A command that splits a folder without separating images that belong together."""

    groups: Annotated[
        Path | None,
        Option(
            "CSV file with the columns file and group: images of one group (a patient, a track, a "
            "session) stay in one part. Files are relative to the folder.",
            metavar="FILE.csv",
        ),
    ] = None
    group_pattern: Annotated[
        str | None,
        Option(
            "Regular expression that finds the group in every file name: in its first brackets, "
            "or in those named group. With a slash in it, it is searched in the path below the "
            "folder, which begins with the class.",
            kind=PATTERN,
        ),
    ] = None

    def check_together(self) -> None:
        """One way to say it."""
        super().check_together()
        if self.groups is not None and self.group_pattern is not None:
            raise one_of_two("groups", "group_pattern")

    @property
    def grouped(self) -> bool:
        """Whether images have groups."""
        return bool(self.grouping())

    def grouping(self) -> dict[str, Any]:
        """The one option of these that is given, if any, for another command."""
        found = {"groups": self.groups, "group_pattern": self.group_pattern}
        return {name: value for name, value in found.items() if value is not None}
