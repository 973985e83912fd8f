"""Summarise the features of class after class, or take the summaries from the cache."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from imbsynth.core.frechet import Few, Summary, summary_for
from imbsynth.engine.distances.cache import Kept, StatisticsCache
from imbsynth.engine.distances.features import Extractor
from imbsynth.engine.events import Advanced, Note, OnEvent, Started
from imbsynth.errors import UserError
from imbsynth.runtime import stream, worker_count
from imbsynth.store.names import listing
from imbsynth.store.streaming import Pixels, Stream

SAMPLED = 10_000  # images a class whose features are kept where a metric compares images


class Unit(NamedTuple):
    """The images of one class on one side."""

    side: str  # "real" or "fake"
    name: str  # of the class
    root: Path
    paths: list[str]  # relative to root


class Measuring:
    """Goes through units in order, holding one at a time; decodes only what is not cached."""

    def __init__(
        self,
        extractor: Extractor,
        cache: StatisticsCache | None,
        on_event: OnEvent,
        *,
        sampling: bool,
        seed: int,
    ) -> None:
        self.extractor, self.cache, self.on_event = extractor, cache, on_event
        self.sampling, self.seed = sampling, seed
        self.skipped: list[str] = []

    def measured(self, units: Sequence[Unit]) -> Iterator[tuple[Unit, Kept]]:
        """The summary of each unit, in order, and with `sampling` features in random order."""
        if self.cache is not None:
            self.on_event(Started("looking into the cache", len(units), "classes"))
        paths = [self._cached_at(unit) for unit in units]
        there = [path is not None and path.exists() for path in paths]
        fresh = self._fresh([unit for unit, old in zip(units, there, strict=True) if not old])
        for unit, path, old in zip(units, paths, there, strict=True):
            kept = self.cache.load(path) if self.cache and path and old else None
            if kept is None:
                [kept] = list(self._fresh([unit])) if old else [next(fresh)]
                if self.cache and path:
                    self.cache.save(path, kept)
            yield unit, self._with_sample(unit, kept)
            del kept  # a scatter matrix, not to be held while the next unit is measured
        for _ in fresh:  # no unit is left, but at its end the stream tells of unreadable files
            pass

    def _cached_at(self, unit: Unit) -> Path | None:
        if self.cache is None:
            return None
        drawn = self.sampling and len(unit.paths) >= self.extractor.dim
        return self.cache.path(unit.root, unit.paths, self.seed if drawn else None)

    def _with_sample(self, unit: Unit, kept: Kept) -> Kept:
        """Few images are all kept anyway: only their order is to be drawn."""
        if not (self.sampling and isinstance(kept.summary, Few)):
            return kept
        order = self._order(unit, kept.summary.count)
        return kept._replace(sample=kept.summary.rows[torch.tensor(order, dtype=torch.int64)])

    def _order(self, unit: Unit, count: int) -> list[int]:
        rng = stream(self.seed, "fid", "sample", unit.side, unit.name)
        return rng.permutation(count)[:SAMPLED].tolist()

    def _fresh(self, units: Sequence[Unit]) -> Iterator[Kept]:
        """Extract the features of units, in batches filled across them."""
        files = [(unit.root, path) for unit in units for path in unit.paths]
        if not files:  # empty classes, which have no number but a reason
            yield from (self._collector(unit).kept() for unit in units)
            return
        images = Stream(files, self.extractor.rules, self.extractor.batch_size, worker_count())
        self.on_event(Started("extracting features", len(files)))
        ends = list(accumulate(len(unit.paths) for unit in units))
        collectors = map(self._collector, units)
        current, collector = 0, next(collectors)
        for batch in images.batches():
            features = self._features(batch.pixels)
            at = 0
            while current < len(units):
                start = ends[current] - len(units[current].paths)
                upto = bisect_left(batch.places, ends[current])
                collector.add(features[at:upto], [p - start for p in batch.places[at:upto]])
                at = upto
                if batch.seen < ends[current]:
                    break
                yield collector.kept()
                current += 1
                collector = next(collectors, collector)
            self.on_event(Advanced(batch.seen))
        self._tell(images)

    def _collector(self, unit: Unit) -> _Collector:
        summary = summary_for(len(unit.paths), self.extractor.dim)
        drawn = self.sampling and not isinstance(summary, Few)
        order = self._order(unit, len(unit.paths)) if drawn else []
        return _Collector(summary, order, self.extractor.dim)

    def _features(self, images: Sequence[Pixels]) -> Tensor:
        if not images:
            return torch.empty(0, self.extractor.dim)
        features = self.extractor.features(images)
        if not torch.isfinite(features).all():
            raise UserError(
                f"--features {self.extractor.name}: features that are not finite",
                "its training has failed: take another checkpoint, or --precision fp32",
            )
        return features

    def _tell(self, images: Stream) -> None:
        self.skipped += images.unreadable
        if images.unreadable:
            left_out = f"{len(images.unreadable)} unreadable: {listing(list(images.unreadable))}"
            self.on_event(Note(f"left out {left_out}"))
        if images.resized:
            self.on_event(Note(f"{images.resized} images were resized"))
        if images.composited:
            self.on_event(Note(f"{images.composited} images with transparency were put on black"))


class _Collector:
    """Takes in the features of one unit, batch by batch."""

    def __init__(self, summary: Summary, order: list[int], dim: int) -> None:
        self.summary = summary
        self.slots = {place: slot for slot, place in enumerate(order)}
        self.sample = torch.empty(len(order), dim)
        self.filled = torch.zeros(len(order), dtype=torch.bool)

    def add(self, features: Tensor, places: list[int]) -> None:
        self.summary.add(features)
        for row, place in enumerate(places):
            slot = self.slots.get(place)
            if slot is not None:
                self.sample[slot], self.filled[slot] = features[row], True

    def kept(self) -> Kept:
        return Kept(self.summary, self.sample[self.filled] if self.slots else None)
