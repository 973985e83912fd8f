"""The classes that a network was trained on, as the header of its checkpoint has them."""

from __future__ import annotations

from typing import Any

from imbsynth.store.fields import Wrong, sequence, text, whole
from imbsynth.store.folders import is_class_name


def class_counts(meta: dict[str, Any]) -> dict[str, int]:
    """Images per class, in order; Wrong unless there are at least two classes with sound names."""
    counts: dict[str, int] = {}
    pairs = sequence(meta, "counts")
    for i in range(len(pairs)):
        pair = sequence(pairs, i, 2)
        name = text(pair, 0)
        if name in counts or not is_class_name(name):
            raise Wrong("one of its classes appears twice, or is not the name of a folder")
        counts[name] = whole(pair, 1, 0)
    if len(counts) < 2:
        raise Wrong("it has fewer than two classes")
    return counts
