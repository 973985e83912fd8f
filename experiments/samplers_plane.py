"""SMOTE, AMDO, MC-CCR, MC-RBO and GAMO on the same points in the plane.

    python experiments/samplers_plane.py docs/samplers-plane.png

Three classes: a large one, and two smaller ones that reach into it. In the plane rbo walks with
larger steps than its default, which is meant for hundreds of coordinates. A point is an image of
two pixels for GAMO.
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
from imbsynth.core.optimisers import adam
from imbsynth.core.plans import combine
from imbsynth.core.samplers import Draw
from imbsynth.core.tables import SAMPLERS
from imbsynth.engine.training.adversarial import BETA
from imbsynth.figures.drawing import blank, save
from imbsynth.models.gamo import Gamo
from imbsynth.models.generators import GeneratorShape, Turn
from imbsynth.runtime import initialised, stream

if TYPE_CHECKING:
    from matplotlib.axes import Axes

METHODS: dict[str, dict[str, Any]] = {
    "smote": {},
    "amdo": {},
    "ccr": {},
    "rbo": {"walk_step": 0.01},
}
GAMO = "gamo"
STEPS, BATCH = 6000, 64  # of GAMO's training
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


def sampled(method: str, population: Toy) -> list[Tensor]:
    """The synthetic points of each class, as many as it lacks."""
    found = []
    for label, draw in enumerate(draws(method, population)):
        plan = draw(np.arange(max(COUNTS) - COUNTS[label]))
        parents = [population.points_of(column) for column in plan.parents.T]
        offsets = None if plan.offsets is None else torch.from_numpy(plan.offsets)
        found.append(combine(parents, torch.from_numpy(plan.weights), offsets))
    return found


def generated(population: Toy) -> list[Tensor]:
    """The same of GAMO, trained on the points."""
    model = initialised(lambda: Gamo(GeneratorShape(1, 1, 2, 1, COUNTS)), 0)
    model.settle(population.classes)
    points, labels = torch.cat(population.classes), np.repeat(np.arange(len(COUNTS)), COUNTS)
    quick = {id(weight) for weight in model.fast()}
    slow = [weight for weight in model.parameters() if id(weight) not in quick]
    fast: dict[str, Any] = {"params": [*model.fast()], "lr": model.lr * model.speed}
    optimiser = adam([{"params": slow}, fast], lr=model.lr, beta=BETA)
    rng = stream(0, "plane", GAMO)

    def noise(labels: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        drawn = rng.standard_normal((len(labels), model.noise_dim), np.float32)
        return torch.from_numpy(drawn), torch.from_numpy(labels)

    for _ in range(STEPS):
        chosen = rng.integers(len(points), size=BATCH)
        shown = noise(rng.choice(len(COUNTS), BATCH, p=model.shares))
        learned = noise(rng.integers(len(COUNTS), size=BATCH))
        real = points[chosen].reshape(-1, 1, 1, 2), torch.from_numpy(labels[chosen])
        optimiser.zero_grad()
        torch.stack(list(model.play(Turn(*real, shown, learned)))).sum().backward()
        optimiser.step()
    model.eval()
    with torch.no_grad():
        return [
            model.combined(*noise(np.full(max(COUNTS) - n, label)))
            for label, n in enumerate(COUNTS)
        ]


def draw_method(axes: Axes, method: str, population: Toy) -> None:
    """Real points as dots, synthetic ones as crosses."""
    made = generated(population) if method == GAMO else sampled(method, population)
    for colour, real, points in zip(COLOURS, population.classes, made, strict=True):
        x, y = real.T.numpy()
        axes.scatter(x, y, s=14, color=colour, linewidths=0)
        x, y = points.T.numpy()
        axes.scatter(x, y, s=10, color=colour, marker="x", linewidths=0.7)
    axes.set_title(method, fontsize=10)
    axes.set(aspect="equal", xlim=(-3.4, 4), ylim=(-3.4, 3.2), xticks=[], yticks=[])


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("out", type=Path)
    figure = blank(10, 6.4)
    population = toy_set()
    *places, last = figure.subplots(2, 3).flatten()
    for axes, method in zip(places, [*METHODS, GAMO], strict=True):
        draw_method(axes, method, population)
    last.axis("off")
    save(figure, parser.parse_args().out)


if __name__ == "__main__":
    main()
