"""Compare the real and the synthetic images of each class, one class at a time, and of all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from imbsynth.configs import FidConfig
from imbsynth.core.frechet import absorb, frechet_distance, summary_for
from imbsynth.core.kid import kernel_distance
from imbsynth.core.manifolds import DENSITY_K, compare_manifolds
from imbsynth.engine.distances.cache import Measurement
from imbsynth.engine.distances.classes import ORIGINS, ClassImages
from imbsynth.engine.distances.measuring import SAMPLED
from imbsynth.runtime import stream

MAPPED = 2000  # images on the map of a plot, over all classes: t-SNE takes half a minute for them

Numbers = dict[str, float]


class ClassFeatures(NamedTuple):
    """Features of some images of a class, for the map of a plot."""

    name: str
    real: Tensor  # (k, d)
    fake: Tensor  # (k, d)


class Comparison:
    """Takes in measurements in the order of `classes_of`.

    The numbers of a class are computed as soon as its synthetic images are measured.
    """

    def __init__(self, config: FidConfig, classes: Sequence[ClassImages], dim: int) -> None:
        self.config, self.classes = config, classes
        self.per_class: dict[str, Numbers] = {}
        self.to_map: list[ClassFeatures] = []
        self.counts: dict[str, dict[str, int]] = defaultdict(dict)  # class -> origin -> images
        self._pools = {origin: _Pool(classes, origin, config.seed, dim) for origin in ORIGINS}
        self._real: tuple[str, Measurement] | None = None  # of the current class

    def add(self, images: ClassImages, measurement: Measurement) -> None:
        """Take in the next measurement."""
        self._pools[images.origin].add(images, measurement)
        self.counts[images.name][images.origin] = measurement.summary.count
        if images.origin == "real":
            self._real = images.name, measurement
            return
        real, self._real = self._real, None  # not held while the next class is measured
        if real and real[0] == images.name:
            self._compare_class(images.name, real[1], measurement)

    def _compare_class(self, name: str, real: Measurement, fake: Measurement) -> None:
        if min(real.summary.count, fake.summary.count) < 2:
            return
        self.per_class[name] = _numbers(self.config, real, fake)
        if self.config.plot is not None and real.sample is not None and fake.sample is not None:
            share = max(2, MAPPED // len(self.classes))
            self.to_map.append(ClassFeatures(name, real.sample[:share], fake.sample[:share]))

    def pooled(self) -> Numbers:
        """The numbers of all images, including those of classes that have none of their own."""
        return _numbers(self.config, *(pool.measurement() for pool in self._pools.values()))

    def left_out(self) -> dict[str, str]:
        """The classes without a number of their own, and why."""
        why = {}
        for name, counts in self.counts.items():
            if name not in self.per_class:
                origin = min(ORIGINS, key=lambda origin: counts.get(origin, 0))
                kind = "real" if origin == "real" else "synthetic"
                n = counts.get(origin, 0)
                why[name] = f"1 {kind} image" if n == 1 else f"{n or 'no'} {kind} images"
        return why


class _Pool:
    """All real or all synthetic images: their summary, and a random sample of their features."""

    def __init__(self, classes: Sequence[ClassImages], origin: str, seed: int, dim: int) -> None:
        sizes = {images.name: len(images.paths) for images in classes if images.origin == origin}
        total = sum(sizes.values())
        self.summary = summary_for(total, dim)
        # From each class as many as a draw from all images would take. The images of a class are
        # in random order already.
        rng = stream(seed, "fid", "pool", origin)
        drawn = rng.multivariate_hypergeometric(
            list(sizes.values()), min(total, SAMPLED), method="marginals"
        )
        self.shares = dict(zip(sizes, drawn.tolist(), strict=True))
        self.sample: list[Tensor] = []

    def add(self, images: ClassImages, measurement: Measurement) -> None:
        absorb(self.summary, measurement.summary)
        if measurement.sample is not None:
            self.sample.append(measurement.sample[: self.shares[images.name]].clone())

    def measurement(self) -> Measurement:
        return Measurement(self.summary, torch.cat(self.sample) if self.sample else None)


def _numbers(config: FidConfig, real: Measurement, fake: Measurement) -> Numbers:
    """The distance, and what else was asked for and is possible with this many images."""
    numbers: Numbers = {
        "fid": frechet_distance(real.summary, fake.summary),
        "n_real": real.summary.count,
        "n_fake": fake.summary.count,
    }
    if real.sample is None or fake.sample is None:
        return numbers
    fewest = min(len(real.sample), len(fake.sample))
    if config.kid and fewest >= 3:
        kid = kernel_distance(real.sample, fake.sample)
        numbers |= {"kid": kid.value, "kid_std": kid.error}
    if config.precision_recall and fewest > DENSITY_K:
        numbers |= compare_manifolds(real.sample, fake.sample)._asdict()
    return numbers
