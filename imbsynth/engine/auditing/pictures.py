"""The picture of an audit: for each class, the images that show its numbers at their worst."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imbsynth.core.batches import Indices
from imbsynth.core.near_copies import NearCopies
from imbsynth.engine.auditing.findings import Probed
from imbsynth.engine.auditing.images import Audited
from imbsynth.engine.auditing.judge import Judged
from imbsynth.figures.sheets import SheetRow, write_sheet

SHOWN = 3  # of each kind
HEADINGS = ["real", "look synthetic", "look like another class", "nearest, and its real image"]

Image = NDArray[np.uint8]


def write_pictures(
    path: Path,
    images: Audited,
    copies: Mapping[int, NearCopies],
    chosen: Indices,
    probed: Probed,
    judged: Judged | None,
) -> None:
    """Draw a row for each class; chosen: the images that the probe was asked about.

    copies: of the classes to draw, what `copies_of` says of them.
    """
    rows = []
    for label, found in copies.items():
        own = images.labels[chosen] == label
        made = own & images.synthetic[chosen]
        real, suspects = chosen[own & ~made], chosen[made]
        by_probe = suspects[np.argsort(-probed.scores[made], kind="stable")]
        doubt = np.zeros(len(suspects)) if judged is None else judged.own[suspects]
        by_judge = suspects[np.argsort(doubt, kind="stable")]
        groups = [_shown(images, which) for which in (real, by_probe, by_judge)]
        rows.append(SheetRow(images.classes[label], [*groups, _nearest(images, label, found)]))
    write_sheet(path, rows, HEADINGS)


def _shown(images: Audited, which: Indices) -> list[Image]:
    """The first few, and the last of them again where there are fewer."""
    return [images.pixels[which[min(i, len(which) - 1)]] for i in range(SHOWN)]


def _nearest(images: Audited, label: int, found: NearCopies) -> list[Image]:
    """The synthetic image that is nearest to a real one, and that one."""
    row = int(found.distance.argmin())
    made, real = images.of(label, synthetic=True), images.of(label, synthetic=False)
    return [images.pixels[made[row]], images.pixels[real[int(found.nearest[row])]]]
