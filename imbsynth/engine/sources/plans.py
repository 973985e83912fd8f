"""Draw a plan, compute it and write it, a batch at a time: memory does not grow with the images."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from imbsynth.core.samplers import Sampler, take
from imbsynth.engine.events import Advanced, OnEvent
from imbsynth.engine.reading import Labelled
from imbsynth.engine.sources.spaces import Space
from imbsynth.figures.sheets import MAX_ROWS, Row
from imbsynth.runtime import stream
from imbsynth.store.png_writers import Write

PREFIX = "synthetic-"  # of the file names
TRIPLES = 4  # of base, neighbor and synthetic image, a class on the sheet


class Plan(NamedTuple):
    """What some synthetic images are made of: a row each, indices of the images read."""

    base: NDArray[np.int64]
    neighbor: NDArray[np.int64]
    lam: NDArray[np.float64]
    label: NDArray[np.int64]  # class index
    number: NDArray[np.int64]  # 1, 2, ... within the class

    def rows(self, start: int, stop: int) -> Plan:
        """Some of the rows."""
        part = slice(start, stop)
        return Plan(
            self.base[part],
            self.neighbor[part],
            self.lam[part],
            self.label[part],
            self.number[part],
        )

    def file(self, row: int, classes: list[str]) -> str:
        """Where the image of a row goes, relative to the output folder."""
        return f"{classes[self.label[row]]}/{PREFIX}{self.number[row]:06d}.png"


def draw(
    sampler: Sampler,
    members: dict[str, NDArray[np.int64]],
    space: Space,
    added: dict[str, int],
    *,
    seed: int,
    method: str,
) -> Iterator[Plan]:
    """Draw every class's plan from its own stream, so that classes never shift each other.

    members: the image indices of each class; added: how many synthetic images each gets.
    """
    for label, (name, own) in enumerate(members.items()):
        if not added[name]:
            continue
        rng, number = stream(seed, "generate", method, name), 1
        for pairs in take(sampler(space.points(own), rng), added[name]):
            numbers = np.arange(number, number + len(pairs.lam))
            number += len(pairs.lam)
            base, neighbor = own[pairs.base], own[pairs.neighbor]
            yield Plan(base, neighbor, pairs.lam, np.full(len(base), label), numbers)


def batched(plans: Iterable[Plan], size: int) -> Iterator[Plan]:
    """The same rows in plans of `size` rows, filled across classes; the last may be smaller."""
    waiting: list[Plan] = []
    rows = 0
    for plan in plans:
        waiting.append(plan)
        rows += len(plan.lam)
        if rows >= size:
            whole = joined(waiting)
            full = rows - rows % size
            for start in range(0, full, size):
                yield whole.rows(start, start + size)
            waiting, rows = [whole.rows(full, rows)], rows - full
    if rows:
        yield joined(waiting)


def joined(plans: list[Plan]) -> Plan:
    """The rows of all plans, in order."""
    base, neighbor, lam, label, number = map(np.concatenate, zip(*plans, strict=True))
    return Plan(base, neighbor, lam, label, number)


def synthesise(
    plans: Iterable[Plan],
    space: Space,
    classes: list[str],
    folder: Path,
    write: Write,
    *,
    on_batch: Callable[[Plan, NDArray[np.uint8]], None],
    on_event: OnEvent,
) -> None:
    """Compute the images of each plan, and have them written."""
    done = 0
    for plan in plans:
        pixels = space.images(plan.base, plan.neighbor, torch.from_numpy(plan.lam)).numpy()
        on_batch(plan, pixels)
        write(pixels, [folder / plan.file(row, classes) for row in range(len(pixels))])
        done += len(pixels)
        on_event(Advanced(done))


def manifest_line(
    file: str, name: str, method: str, space: str, base: str, neighbor: str, lam: float
) -> dict[str, Any]:
    """A line of the manifest: an image that is not a real one."""
    return {
        "file": file,
        "class": name,
        "method": method,
        "space": space,
        "base": base,
        "neighbor": neighbor,
        "lam": lam,
    }


class Sheet:
    """Collects the first few synthetic images of each class, beside what they are made of."""

    def __init__(self, images: Labelled) -> None:
        self.images = images
        self.groups: dict[int, list[list[NDArray[np.uint8]]]] = {}

    def add(self, plan: Plan, pixels: NDArray[np.uint8]) -> None:
        """Take from a batch what its classes still lack."""
        real = self.images.pixels
        for label in np.unique(plan.label).tolist():
            shown = label in self.groups or len(self.groups) < MAX_ROWS
            groups = self.groups.setdefault(label, [])
            for row in np.flatnonzero(plan.label == label)[: (TRIPLES - len(groups)) * shown]:
                groups.append([real[plan.base[row]], real[plan.neighbor[row]], pixels[row].copy()])

    def rows(self) -> list[Row]:
        """A row a class, for `write_sheet`."""
        return [Row(self.images.classes[label], groups) for label, groups in self.groups.items()]
