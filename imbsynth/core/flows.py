"""Rectified flows: straight paths from noise to data, learned and followed by a velocity."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# (m, ...) points, (m,) times in [0, 1], (m,) classes -> (m, ...) velocities.
Velocity = Callable[[Tensor, Tensor, Tensor], Tensor]


def flow_loss(
    velocity: Velocity, starts: Tensor, ends: Tensor, times: Tensor, labels: Tensor
) -> Tensor:
    """E |v(x_t, t, y) - (x_1 - x_0)|^2 with x_t = (1 - t) x_0 + t x_1, per number.

    Rectified flow (Liu, Gong and Liu, ICLR 2023, equation 1), which is flow matching with straight
    paths (Lipman et al., ICLR 2023), conditional on the class. starts: (m, ...) noise x_0 from
    N(0, I); ends: (m, ...) data x_1 of the classes y; times: (m,) in [0, 1).
    """
    between = torch.lerp(starts, ends, times.reshape(-1, *[1] * (ends.ndim - 1)))
    return (velocity(between, times, labels).float() - (ends - starts)).square().mean()


def transported(velocity: Velocity, points: Tensor, labels: Tensor, steps: int) -> Tensor:
    """dx/dt = v(x, t, y) from t = 0 to 1 by the midpoint rule: x + h v(x + h/2 v(x, t), t + h/2).

    (m, ...) points of noise, (m,) classes -> (m, ...); steps: 1 / h, each with two velocities.
    """
    size = 1 / steps
    for step in range(steps):
        start = torch.full((len(points),), step * size).to(points)
        middle = points + size / 2 * velocity(points, start, labels)
        points = points + size * velocity(middle, start + size / 2, labels)
    return points


def guided(velocity: Velocity, none: int, weight: float) -> Velocity:
    """v(x, t, none) + w (v(x, t, y) - v(x, t, none)): classifier-free guidance.

    Ho and Salimans (2022), equation 6, with w = 1 + their w, for velocities, which are linear in
    their scores. none: the label that stands for no class. weight: w; 1 leaves the velocity as it
    is, and costs nothing.
    """
    if weight == 1:
        return velocity

    def more(points: Tensor, times: Tensor, labels: Tensor) -> Tensor:
        plain = velocity(points, times, torch.full_like(labels, none))
        return torch.lerp(plain, velocity(points, times, labels), weight)

    return more


def root_chances(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n,) labels -> (n,) probabilities with which images are drawn for a step.

    Classes are drawn in proportion to the square root of their size: between their frequency, at
    which rare ones are hardly learned, and equally often, at which they are memorised.
    """
    chances = np.bincount(labels)[labels] ** -0.5
    return chances / chances.sum()
