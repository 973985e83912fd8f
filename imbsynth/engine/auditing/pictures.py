"""The picture of an audit: for each class, the images that show its numbers at their worst."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imbsynth.engine.auditing.findings import Probed, copies_of
from imbsynth.engine.auditing.images import Audited, Indices
from imbsynth.engine.auditing.judge import Judged
from imbsynth.figures.sheets import SheetRow, write_sheet

SHOWN = 3  # of each kind
HEADINGS = ["real", "look synthetic", "look like another class", "nearest, and its real image"]

Image = NDArray[np.uint8]


def write_pictures(
    path: Path,
    images: Audited,
    labels: list[int],
    chosen: Indices,
    probed: Probed,
    judged: Judged | None,
) -> None:
    """Draw a row for each of the classes; chosen: the images that the probe was asked about."""
    rows = []
    for label in labels:
        own = images.labels[chosen] == label
        made = own & images.synthetic[chosen]
        real, suspects = chosen[own & ~made], chosen[made]
        by_probe = suspects[np.argsort(-probed.scores[made], kind="stable")]
        doubt = np.zeros(len(suspects)) if judged is None else judged.own[suspects]
        by_judge = suspects[np.argsort(doubt, kind="stable")]
        groups = [_shown(images, which) for which in (real, by_probe, by_judge)]
        rows.append(SheetRow(images.classes[label], [*groups, _nearest(images, label)]))
    write_sheet(path, rows, HEADINGS)


def _shown(images: Audited, which: Indices) -> list[Image]:
    """The first few, and the last of them again where there are fewer."""
    return [images.pixels[which[min(i, len(which) - 1)]] for i in range(SHOWN)]


def _nearest(images: Audited, label: int) -> list[Image]:
    """The synthetic image that is nearest to a real one, and that one."""
    found = copies_of(images, label)
    row = int(found.distance.argmin())
    made, real = images.of(label, synthetic=True), images.of(label, synthetic=False)
    return [images.pixels[made[row]], images.pixels[real[int(found.nearest[row])]]]
