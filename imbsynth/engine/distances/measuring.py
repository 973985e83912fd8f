"""Summarise the features of class after class, or take the summaries from the cache."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path

import torch
from torch import Tensor

from imbsynth.core.frechet import StoredFeatures, Summary, summary_for
from imbsynth.engine.distances.cache import Measurement, StatisticsCache
from imbsynth.engine.distances.classes import ClassImages
from imbsynth.engine.distances.features import Extractor
from imbsynth.engine.distances.shared_reading import SharedReader
from imbsynth.engine.events import Advanced, Note, OnEvent, Started
from imbsynth.errors import UserError, option
from imbsynth.runtime import ALONE, World, stream
from imbsynth.store.image_reader import ImageReader, Pixels
from imbsynth.store.names import listing, number_of

SAMPLED = 10_000  # images per class whose features are kept for metrics that compare images

OnMeasured = Callable[[ClassImages, Measurement], None]


class Measurer:
    """Goes through classes in order, holding one at a time; decodes only what is not cached."""

    def __init__(
        self,
        extractor: Extractor,
        cache: StatisticsCache | None,
        on_event: OnEvent,
        *,
        sampling: bool,
        seed: int,
        world: World = ALONE,
    ) -> None:
        """sampling: whether features of a random sample of each class are wanted, too.

        world: the processes that compute features together. The writer alone has a cache, and
        measures: the measurements of the others are empty.
        """
        self.extractor, self.cache, self.on_event = extractor, cache, on_event
        self.world = world
        self.sampling, self.seed = sampling, seed
        self.skipped: list[str] = []  # unreadable files

    def measure(self, classes: Sequence[ClassImages], on_measured: OnMeasured) -> None:
        """Call `on_measured` for each class, in order, as soon as it is measured."""
        if self.cache is not None:
            self.on_event(Started("looking into the cache", len(classes), "classes"))
        places = [self._place_in_cache(images) for images in classes]
        cached = self.world.told(lambda: [bool(place and place.exists()) for place in places])
        fresh = self._extracted([c for c, old in zip(classes, cached, strict=True) if not old])
        for images, place, old in zip(classes, places, cached, strict=True):
            # Without a name, no summary is held while the next class is measured.
            on_measured(
                images,
                self._with_sample(
                    images,
                    self._loaded(images, place) if old else self._saved(place, fresh),
                ),
            )

    def _loaded(self, images: ClassImages, place: Path | None) -> Measurement:
        """The measurement in the cache; if its file is damaged, a new one."""
        found = self.cache.load(place) if self.cache and place else None
        if self.world.told(lambda: found is None):
            return self._saved(place, self._extracted([images]))
        return found or self._collector(images).measurement()

    def _saved(self, place: Path | None, fresh: Iterator[Measurement]) -> Measurement:
        """The next new measurement, saved in the cache if there is one."""
        measurement = next(fresh)
        if self.cache and place:
            self.cache.save(place, measurement)
        return measurement

    def _place_in_cache(self, images: ClassImages) -> Path | None:
        if self.cache is None:
            return None
        drawn = self.sampling and len(images.paths) >= self.extractor.dim
        return self.cache.path(images.root, images.paths, self.seed if drawn else None)

    def _with_sample(self, images: ClassImages, measurement: Measurement) -> Measurement:
        """With a sample in random order, also where the features of all images are stored."""
        if not (self.sampling and isinstance(measurement.summary, StoredFeatures)):
            return measurement
        order = torch.tensor(self._order(images, measurement.summary.count), dtype=torch.int64)
        return measurement._replace(sample=measurement.summary.rows[order])

    def _order(self, images: ClassImages, count: int) -> list[int]:
        rng = stream(self.seed, "fid", "sample", images.origin, images.name)
        return rng.permutation(count)[:SAMPLED].tolist()

    def _extracted(self, classes: Sequence[ClassImages]) -> Iterator[Measurement]:
        """A measurement of each class; batches are filled across classes.

        The last one comes after all files are read, and problems with them are told before it.
        """
        paths = [str(images.root / path) for images in classes for path in images.paths]
        if not paths:  # empty classes: they get no number, but a reason why
            yield from (self._collector(images).measurement() for images in classes)
            return
        where = " and ".join(dict.fromkeys(str(images.root) for images in classes))
        size, rules = self.extractor.batch_size, self.extractor.rules
        reader = SharedReader(paths, rules, size, where=where, world=self.world)
        self.on_event(Started("extracting features", len(paths)))
        ends = list(accumulate(len(images.paths) for images in classes))
        current, collector = 0, self._collector(classes[0])
        for batch in reader.batches(self._features):
            taken = 0
            while True:
                upto = bisect_left(batch.places, ends[current])
                start = ends[current] - len(classes[current].paths)
                places = [place - start for place in batch.places[taken:upto]]
                if self.world.is_writer:
                    collector.add(batch.features[taken:upto], places)
                taken = upto
                if batch.seen < ends[current] or current == len(classes) - 1:
                    break
                yield collector.measurement()
                current += 1
                collector = self._collector(classes[current])
            self.on_event(Advanced(batch.seen))
        self._report(reader.all)
        yield collector.measurement()

    def _collector(self, images: ClassImages) -> _Collector:
        summary = summary_for(len(images.paths), self.extractor.dim)
        drawn = self.sampling and not isinstance(summary, StoredFeatures)
        order = self._order(images, len(images.paths)) if drawn else []
        return _Collector(summary, order, self.extractor.dim)

    def _features(self, images: Sequence[Pixels]) -> Tensor:
        if not images:
            return torch.empty(0, self.extractor.dim)
        features = self.extractor.features(images)
        if not torch.isfinite(features).all():
            raise UserError(
                f"{option('features')} {self.extractor.name}: features that are not finite",
                f"its training has failed: use another checkpoint, or {option('precision')} fp32",
            )
        return features

    def _report(self, reader: ImageReader) -> None:
        """Tell what was odd about the images."""
        self.skipped += reader.unreadable
        if reader.unreadable:
            left_out = f"{len(reader.unreadable)} unreadable: {listing(list(reader.unreadable))}"
            self.on_event(Note(f"left out {left_out}"))
        if reader.resized:
            self.on_event(Note(f"{reader.resized} images were resized"))
        if reader.composited:
            composited = number_of(reader.composited, "image")
            self.on_event(Note(f"{composited} with transparency, put on black"))
        if reader.rules.gray and reader.in_colour:
            self.on_event(Note(f"{reader.in_colour} colour images were made gray"))


class _Collector:
    """Takes in the features of one class, batch by batch."""

    def __init__(self, summary: Summary, order: list[int], dim: int) -> None:
        """order: the places, within the class, of the images whose features form the sample."""
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

    def measurement(self) -> Measurement:
        return Measurement(self.summary, self.sample[self.filled] if self.slots else None)
