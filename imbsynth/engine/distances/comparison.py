"""Put the summaries of real and synthetic classes against each other, one class at a time."""

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
from imbsynth.engine.distances.cache import Kept
from imbsynth.engine.distances.measuring import SAMPLED, Unit
from imbsynth.engine.distances.sides import SIDES
from imbsynth.runtime import stream

MAPPED = 2000  # images on the map of a plot, over all classes: t-SNE takes half a minute for them

Numbers = dict[str, float]


class Cloud(NamedTuple):
    """Features of some images of a class, for the map of a plot."""

    name: str
    real: Tensor  # (k, d)
    fake: Tensor  # (k, d)


class Comparison:
    """Takes units in the order of `units_of`; a class is done with when its last one is in."""

    def __init__(self, config: FidConfig, units: Sequence[Unit], dim: int) -> None:
        self.config, self.units = config, units
        self.per_class: dict[str, Numbers] = {}
        self.clouds: list[Cloud] = []
        self.counts: dict[str, dict[str, int]] = defaultdict(dict)  # class -> side -> images seen
        self._pools = {side: _Pool(units, side, config.seed, dim) for side in SIDES}
        self._waiting: tuple[Unit, Kept] | None = None  # the real images of the current class

    def add(self, unit: Unit, kept: Kept) -> None:
        """Take in the next unit."""
        self._pools[unit.side].add(unit, kept)
        self.counts[unit.name][unit.side] = kept.summary.count
        if unit.side == "real":
            self._waiting = unit, kept
            return
        waiting, self._waiting = self._waiting, None  # not held while the next class is measured
        if waiting and waiting[0].name == unit.name:
            self._compare_class(unit.name, waiting[1], kept)

    def _compare_class(self, name: str, real: Kept, fake: Kept) -> None:
        if min(real.summary.count, fake.summary.count) < 2:
            return
        self.per_class[name] = _numbers(self.config, real, fake)
        if self.config.plot is not None and real.sample is not None and fake.sample is not None:
            share = max(2, MAPPED // len(self.units))
            self.clouds.append(Cloud(name, real.sample[:share], fake.sample[:share]))

    def pooled(self) -> Numbers:
        """The numbers of all images, with those of classes that have no number of their own."""
        return _numbers(self.config, *(pool.kept() for pool in self._pools.values()))

    def left_out(self) -> dict[str, str]:
        """The classes without a number of their own, and why."""
        why = {}
        for name, counts in self.counts.items():
            if name not in self.per_class:
                side = min(SIDES, key=lambda side: counts.get(side, 0))
                word = "real" if side == "real" else "synthetic"
                n = counts.get(side, 0)
                why[name] = f"{n or 'no'} {word} image{'s' * (n != 1)}"
        return why


class _Pool:
    """All images of one side: their summary, and a random sample of the features kept."""

    def __init__(self, units: Sequence[Unit], side: str, seed: int, dim: int) -> None:
        sizes = {unit.name: len(unit.paths) for unit in units if unit.side == side}
        total = sum(sizes.values())
        self.summary = summary_for(total, dim)
        # As many of each class as a draw from all images would hit; a class's are in random order.
        rng = stream(seed, "fid", "pool", side)
        drawn = rng.multivariate_hypergeometric(
            list(sizes.values()), min(total, SAMPLED), method="marginals"
        )
        self.shares = dict(zip(sizes, drawn.tolist(), strict=True))
        self.sample: list[Tensor] = []

    def add(self, unit: Unit, kept: Kept) -> None:
        absorb(self.summary, kept.summary)
        if kept.sample is not None:
            self.sample.append(kept.sample[: self.shares[unit.name]].clone())

    def kept(self) -> Kept:
        return Kept(self.summary, torch.cat(self.sample) if self.sample else None)


def _numbers(config: FidConfig, real: Kept, fake: Kept) -> Numbers:
    """The distance, and what else was asked for and is possible with so many images."""
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
