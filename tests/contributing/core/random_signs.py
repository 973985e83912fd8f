"""A control for attacks: moves as far as FGSM, in a random direction."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from imbsynth.core.attacks import SummedLoss


def random_signs(
    images: Tensor, _loss: SummedLoss, rng: np.random.Generator, *, epsilon: float
) -> Tensor:
    """x + epsilon * s with random signs s, clipped to the [0, 1] pixel range.

    What AOS gains over this is due to the gradient, and the rest to noise.
    """
    signs = torch.from_numpy(rng.choice([-1.0, 1.0], tuple(images.shape))).to(images)
    return (images + epsilon * signs).clamp(0, 1)
