"""Pairs of images that are nearly the same: how many there are, and the most similar of them."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from imbsynth.core.near_duplicates import near_pairs
from imbsynth.engine.events import Advanced, OnEvent, Started
from imbsynth.store.image_files import Survey

LISTED = 1000  # pairs of each kind in a report
WITHIN, ACROSS, AGAINST = "within", "across", "against"


@dataclass(frozen=True)
class NearPair:
    """Two images that are nearly the same."""

    files: list[str]  # two paths, each relative to its folder
    similarity: float  # correlation of their thumbnails, at most 1


@dataclass(frozen=True)
class Near:
    """All pairs of one kind."""

    count: int
    pairs: list[NearPair]  # the LISTED most similar ones, in this order


NearDuplicates = dict[str, Near]  # by kind


def find_near(
    here: Sequence[Survey], there: Sequence[Survey] | None, on_event: OnEvent
) -> NearDuplicates:
    """The pairs within and across classes of a folder, or with another folder, by kind.

    Files that show the same image count as one, the first of them: others find these by their
    pixels. The surveys have thumbnails.
    """
    ours = _distinct(here)
    theirs = None if there is None else _distinct(there)
    found = {kind: _Most() for kind in ((WITHIN, ACROSS) if theirs is None else (AGAINST,))}
    for a, b, similarity in _pairs(ours, theirs, on_event):
        if theirs is not None:
            found[AGAINST].add(a, b, similarity)
        else:
            found[WITHIN if _mates(a, b) else ACROSS].add(a, b, similarity)
    return {kind: most.near() for kind, most in found.items()}


def _pairs(
    ours: list[Survey], theirs: list[Survey] | None, on_event: OnEvent
) -> Iterator[tuple[Survey, Survey, float]]:
    """The pairs of different images, one by one."""
    if not ours or (theirs is not None and not theirs):
        return
    on_event(Started("comparing images", len(ours)))
    others = ours if theirs is None else theirs
    batches = near_pairs(_thumbs(ours), None if theirs is None else _thumbs(theirs))
    for done, (first, second, similarity) in batches:
        for i, j, alike in zip(first, second, similarity.tolist(), strict=True):
            if ours[i].identity != others[j].identity:
                yield ours[i], others[j], alike
        on_event(Advanced(done))


def _distinct(found: Sequence[Survey]) -> list[Survey]:
    """The readable images, each once."""
    first: dict[str, Survey] = {}
    for one in found:
        if not one.problem:
            first.setdefault(one.identity, one)
    return list(first.values())


def _thumbs(images: Sequence[Survey]) -> np.ndarray:
    return np.stack([one.thumb for one in images if one.thumb is not None])


def _mates(a: Survey, b: Survey) -> bool:
    return a.path.split("/")[0] == b.path.split("/")[0]


class _Most:
    """Counts pairs, and keeps the most similar ones."""

    def __init__(self) -> None:
        self._number = count()
        self._kept: list[tuple[float, int, str, str]] = []  # a heap; the number breaks ties
        self._count = 0

    def add(self, first: Survey, second: Survey, similarity: float) -> None:
        self._count += 1
        entry = (similarity, -next(self._number), first.path, second.path)
        if len(self._kept) < LISTED:
            heapq.heappush(self._kept, entry)
        else:
            heapq.heappushpop(self._kept, entry)

    def near(self) -> Near:
        ranked = sorted(self._kept, reverse=True)
        pairs = [NearPair([a, b], round(min(alike, 1), 4)) for alike, _, a, b in ranked]
        return Near(self._count, pairs)
