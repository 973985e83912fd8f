"""Single evaluations: which are of the same test images, and which classifier is best on these."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from imbsynth.engine.comparison.best import Best, FilePredictions, best_of, same_images
from imbsynth.engine.comparison.stored import Result, tested_on
from imbsynth.store.records import METRICS


class Evaluation(NamedTuple):
    """A result of `evaluate`, with what it says of each image."""

    result: Result
    predictions: FilePredictions | None  # None: not known
    digest: str | None  # of the test images; None: not known

    @property
    def name(self) -> str:
        """What the classifier is called."""
        return self.result.method

    @property
    def comparable(self) -> FilePredictions | None:
        """The predictions, if they are known and all of them are of new images."""
        return None if self.result.overlap else self.predictions


def evaluation(folder: Path, result: Result, predictions: FilePredictions | None) -> Evaluation:
    """With the digest of its test images, as the record in its folder has it."""
    tested = tested_on(folder / METRICS)
    return Evaluation(result, predictions or None, None if tested is None else tested.digest)


def grouped(found: Iterable[Evaluation]) -> list[list[Evaluation]]:
    """Those of the same test images together; each without predictions alone."""
    groups: list[list[Evaluation]] = []
    for one in found:
        group = next((group for group in groups if _fits(one, group)), None)
        if group is None:
            groups.append([one])
        else:
            group.append(one)
    return groups


def best_in(group: Sequence[Evaluation], rope: float) -> Best | None:
    """Of a group, those that can be compared; None for fewer than two. rope: as of `best_of`."""
    found = {one.name: known for one in group if (known := one.comparable) is not None}
    return best_of(found, rope) if len(found) > 1 else None


def _fits(one: Evaluation, group: Sequence[Evaluation]) -> bool:
    """Whether it is of the same images as a group: names, classes and, where known, contents."""
    digests = {found.digest for found in (one, *group)} - {None}
    known, others = one.predictions, group[0].predictions
    if len(digests) > 1 or known is None or others is None:
        return False
    return same_images(others, known)
