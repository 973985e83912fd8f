"""A small network that brings noise to the features of a class, fitted to real features."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import Parameter, functional

from imbsynth.core.feature_views import DrawFeatures, Views
from imbsynth.core.flows import Velocity, flow_loss, root_chances, transported
from imbsynth.core.optimisers import adam
from imbsynth.core.row_streams import Rows, RowStream
from imbsynth.core.schedules import cosine

WIDTH, LAYERS = 512, 3
FREQUENCIES = 8  # of the sines and cosines that tell the time
BATCH, STEPS, LR = 128, 600, 1e-3
MIDPOINTS = 8  # steps from noise to features
LEAST_DEVIATION = 1e-3  # of a feature: what hardly varies is not blown up


def flow(views: Views, rng: np.random.Generator, *, steps: int = STEPS) -> DrawFeatures:
    """Flow matching on features: `fitted` to them, standardised, then `transported` from noise.

    After LDMLR (Han et al., "Latent-based Diffusion Model for Long-tailed Recognition", 2024),
    which diffuses features; a straight flow needs fewer steps.
    """
    mean, deviation = _moments(views)
    noise = [RowStream(rng) for _ in views.members]
    standardised = views._replace(change=lambda values: (values - mean) / deviation)
    velocity = fitted(standardised, rng, steps)

    @torch.no_grad()
    def draw(label: int, rows: Rows) -> Tensor:
        start = torch.from_numpy(noise[label].normals(rows, len(mean))).to(mean)
        labels = torch.full((len(rows),), label, device=mean.device)
        return transported(velocity, start, labels, MIDPOINTS) * deviation + mean

    return draw


def fitted(views: Views, rng: np.random.Generator, steps: int) -> Velocity:
    """`flow_loss` minimised: noise to a real feature in a random view, conditional on the class.

    Classes are drawn by `root_chances`.
    """
    network = _network(views.dim, len(views.members), rng, views.device)
    optimiser = adam(network.weights(), lr=LR)
    chances = root_chances(views.labels)
    for step in range(steps):
        images = rng.choice(len(views.labels), BATCH, p=chances)
        ends = views.seen(images, rng.random(BATCH))
        starts = torch.from_numpy(rng.standard_normal(tuple(ends.shape), np.float32)).to(ends)
        times = torch.from_numpy(rng.random(BATCH)).to(ends)
        labels = torch.from_numpy(views.labels[images]).to(ends.device)
        loss = flow_loss(network.velocity, starts, ends, times, labels)
        optimiser.param_groups[0]["lr"] = LR * cosine(step / steps)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return network.velocity


def _moments(views: Views) -> tuple[Tensor, Tensor]:
    """(d,) mean and deviation of all features, computed in float64."""
    count = len(views.values) * len(views.labels)
    zeros = torch.zeros(views.dim, dtype=torch.float64, device=views.device)
    mean = sum((some.double().sum(0) for some in views.blocks()), zeros) / count
    squares = ((some.double() - mean).square().sum(0) for some in views.blocks())
    deviation = (sum(squares, zeros) / count).sqrt()
    return mean.float(), deviation.float().clamp(min=LEAST_DEVIATION)


class _Network(NamedTuple):
    """Dense layers with SiLU between them; time and class are added before each."""

    layers: list[tuple[Parameter, Parameter]]  # matrices and biases
    time: Parameter  # (2 FREQUENCIES, WIDTH)
    classes: Parameter  # (k, WIDTH)

    def velocity(self, points: Tensor, times: Tensor, labels: Tensor) -> Tensor:
        """A `Velocity`."""
        angles = math.pi * times[:, None] * torch.arange(1, FREQUENCIES + 1).to(times)
        given = torch.cat([angles.sin(), angles.cos()], 1) @ self.time + self.classes[labels]
        hidden = points
        for weight, bias in self.layers[:-1]:
            hidden = functional.silu(torch.addmm(bias, hidden, weight) + given)
        weight, bias = self.layers[-1]
        return torch.addmm(bias, hidden, weight)

    def weights(self) -> list[Parameter]:
        """All of them."""
        return [self.time, self.classes, *(weight for layer in self.layers for weight in layer)]


def _network(
    features: int, classes: int, rng: np.random.Generator, device: torch.device
) -> _Network:
    """Fresh weights: uniform by the number of inputs, and 0 in the last layer."""

    def drawn(inputs: int, *shape: int) -> Parameter:
        bound = inputs**-0.5
        found: NDArray[np.float64] = rng.uniform(-bound, bound, shape)
        return Parameter(torch.from_numpy(found).float().to(device))

    sides = [features, *[WIDTH] * LAYERS]
    layers = [(drawn(n, n, m), drawn(n, m)) for n, m in pairwise(sides)]
    last = [
        Parameter(torch.zeros(*shape, device=device)) for shape in ((WIDTH, features), (features,))
    ]
    time, labels = drawn(2 * FREQUENCIES, 2 * FREQUENCIES, WIDTH), drawn(1, classes, WIDTH)
    return _Network([*layers, (last[0], last[1])], time, labels)
