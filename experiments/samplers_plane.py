"""SMOTE, AMDO, MC-CCR and MC-RBO on the same points in the plane.

    python experiments/samplers_plane.py docs/samplers-plane.png

Three classes: a large one, and two smaller ones that reach into it. In the plane rbo walks with
larger steps than its default, which is meant for hundreds of coordinates.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbsynth.configs import GenerateConfig
from imbsynth.core.plans import combine
from imbsynth.core.samplers import Draw
from imbsynth.core.tables import SAMPLERS
from imbsynth.figures.drawing import blank, save
from imbsynth.runtime import stream

if TYPE_CHECKING:
    from matplotlib.axes import Axes

METHODS: dict[str, dict[str, Any]] = {
    "smote": {},
    "amdo": {},
    "ccr": {},
    "rbo": {"walk_step": 0.01},
}
COUNTS = (120, 30, 12)
COLOURS = ("0.6", "tab:blue", "tab:red")


class Toy(NamedTuple):
    """A population in the plane."""

    classes: list[Tensor]

    @property
    def members(self) -> list[NDArray[np.int64]]:
        """The indices of each class."""
        return np.split(np.arange(sum(COUNTS)), np.cumsum(COUNTS)[:-1])

    def points(self, label: int) -> Tensor:
        """(n, 2) of a class."""
        return self.classes[label]

    def points_of(self, images: NDArray[np.int64]) -> Tensor:
        """(m, 2) of any class."""
        return torch.cat(self.classes)[torch.from_numpy(images)]


def toy_set() -> Toy:
    """A round class, a bent one across its edge, and a narrow one beside it."""
    rng = stream(0, "plane")
    large = rng.normal(0, 1, (COUNTS[0], 2))
    turn = rng.uniform(0, np.pi, COUNTS[1])
    bent = np.stack([2.2 * np.cos(turn) + 1, 2.2 * np.sin(turn)], 1)
    bent += rng.normal(0, 0.15, bent.shape)
    narrow = rng.normal(0, 1, (COUNTS[2], 2)) * [0.9, 0.2] + [-0.6, -2.2]
    return Toy([torch.from_numpy(points).float() for points in (large, bent, narrow)])


def draws(method: str, population: Toy) -> list[Draw]:
    """The draws of the classes."""
    config = GenerateConfig(src=Path("src"), dst=Path("dst"), **METHODS[method])
    sampler = SAMPLERS[method].with_options(config)
    rngs = [stream(0, "plane", method, label) for label in range(len(COUNTS))]
    if SAMPLERS[method].joint:
        joint = sampler(population, rngs)
        return [joint.draw(label) for label in range(len(COUNTS))]
    return [sampler(population, label, rng) for label, rng in enumerate(rngs)]


def draw_method(axes: Axes, method: str, population: Toy) -> None:
    """Real points as dots, synthetic ones as crosses."""
    for label, draw in enumerate(draws(method, population)):
        real = population.points(label)
        x, y = real.T.numpy()
        axes.scatter(x, y, s=14, color=COLOURS[label], linewidths=0)
        count = max(COUNTS) - COUNTS[label]
        if count:
            plan = draw(np.arange(count))
            parents = [population.points_of(column) for column in plan.parents.T]
            offsets = None if plan.offsets is None else torch.from_numpy(plan.offsets)
            made = combine(parents, torch.from_numpy(plan.weights), offsets)
            x, y = made.T.numpy()
            axes.scatter(x, y, s=10, color=COLOURS[label], marker="x", linewidths=0.7)
    axes.set_title(method, fontsize=10)
    axes.set(aspect="equal", xlim=(-3.4, 4), ylim=(-3.4, 3.2), xticks=[], yticks=[])


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("out", type=Path)
    figure = blank(7, 6.4)
    population = toy_set()
    for axes, method in zip(figure.subplots(2, 2).flatten(), METHODS, strict=True):
        draw_method(axes, method, population)
    save(figure, parser.parse_args().out)


if __name__ == "__main__":
    main()
