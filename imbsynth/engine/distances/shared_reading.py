"""The features of many image files, in order, of which each process computes its share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from imbsynth.errors import UserError
from imbsynth.runtime import World, worker_count
from imbsynth.store.image_reader import ImageBatch, ImageReader, ImageRules, Pixels

Compute = Callable[[Sequence[Pixels]], Tensor]  # n images -> (n, d) on the CPU


class Computed(NamedTuple):
    """The features of some images."""

    features: Tensor  # (n, d)
    places: list[int]  # of each image in the list of paths
    seen: int  # files read so far, unreadable ones included


class SharedReader:
    """Reads and computes blocks of files in turns: process r has blocks r, r + size, and so on.

    A batch ends where its block does, so batches, and how they are rounded, do not depend on the
    number of processes. In each round every process sends its block to all, which therefore hold
    one round at a time.
    """

    def __init__(
        self,
        paths: Sequence[str],
        rules: ImageRules,
        block: int,
        *,
        where: str,
        world: World,
    ) -> None:
        """block: how many files are a block; where: the folder or folders, for messages."""
        self.block, self.world = block, world
        starts = range(0, len(paths), block)
        self.rounds = -(-len(starts) // world.size)
        mine = starts[world.rank :: world.size]
        self.own = [place for start in mine for place in range(len(paths))[start : start + block]]
        own_paths = [paths[place] for place in self.own]
        self.reader = ImageReader(Path(), own_paths, rules, cores=worker_count(), where=where)
        self.done = 0  # own files
        # Reads nothing: it takes in what all processes have found.
        self.all = ImageReader(Path(), paths, rules, where=where)

    def batches(self, compute: Compute) -> Iterator[Computed]:
        """The batches of all processes; UserError, in all, as `ImageReader` raises it."""
        with closing(self.reader.batches(self.block)) as batches:
            for number in range(1, self.rounds + 1):
                own = self._block(batches, min(number * self.block, len(self.own)), compute)
                found = self.world.gathered((own, self.reader.fails))
                if any(fails for _, fails in found):
                    break
                for part, _ in found:
                    yield from part
            with suppress(UserError):  # it is raised below, with what the others have found
                for _ in batches:
                    pass
        for findings in self.world.gathered(self.reader.findings):
            self.all.take_in(findings)
        self.all.refuse()

    def _block(self, batches: Iterator[ImageBatch], end: int, compute: Compute) -> list[Computed]:
        """The own batches until `end` own files are read, or none can be used any more."""
        found: list[Computed] = []
        while self.done < end and (batch := _next(batches)) is not None:
            self.done = batch.seen
            places = [self.own[place] for place in batch.places]
            seen = self.own[batch.seen - 1] + 1
            found.append(Computed(compute(batch.pixels), places, seen))
        return found


def _next(batches: Iterator[ImageBatch]) -> ImageBatch | None:
    """None where the reader has found what ends the run: it is raised when all have read on."""
    try:
        return next(batches, None)
    except UserError:
        return None
