"""What every source of synthetic images can do."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from torch import Tensor

from imbsynth.core.plans import Plan
from imbsynth.core.row_streams import Rows


class MethodRecord(NamedTuple):
    """What the manifest says of every image of a source."""

    method: str  # "smote", "augment", ...
    space: str | None = None  # "pixel" or "latent", for an interpolation
    model: str | None = None  # SHA-256 of the checkpoint, for a conditional generator
    augment: str | None = None  # the augmentation, for augmented copies


class Source(Protocol):
    """Makes images of a class: by interpolation in a space, by augmentation, or by a generator.

    Both steps depend on the class and on the row numbers alone, not on which rows are asked for
    together, as long as `images` is given rows from a multiple of `rows_at_once` on.
    """

    @property
    def method_record(self) -> MethodRecord:
        """How its images come about."""

    @property
    def rows_at_once(self) -> int:
        """How many rows `images` computes at once; at most so many may be given."""

    def plan(self, label: int, rows: Rows) -> Plan:
        """(m,) row numbers of a class's endless plan -> these rows, drawn and not yet computed."""

    def images(self, label: int, plan: Plan) -> Tensor:
        """The (m, c, h, w) uint8 images of some rows, on the CPU."""
