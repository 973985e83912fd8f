"""Moving images up a loss: one loop, and attacks as a few of its settings."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

SummedLoss = Callable[[Tensor], Tensor]  # (n, c, h, w) images -> a scalar, summed over the images


# An attack whose options are given: (n, c, h, w) images in [0, 1], the loss to climb and a
# generator -> the moved images, in [0, 1] as well. The loss must treat images independently, so
# that the gradient of an image does not depend on its batch. epsilon, an option of every attack, is
# how far it goes at most, in units of the [0, 1] pixel range.
Attack = Callable[[Tensor, SummedLoss, np.random.Generator], Tensor]


def fgsm(images: Tensor, loss: SummedLoss, _rng: np.random.Generator, *, epsilon: float) -> Tensor:
    """x + epsilon * sign(dL/dx), clipped to the [0, 1] pixel range (Goodfellow et al., 2015)."""
    return ascend(images, images, loss, epsilon=epsilon, step=epsilon, steps=1)


def pgd(
    images: Tensor,
    loss: SummedLoss,
    rng: np.random.Generator,
    *,
    epsilon: float,
    attack_steps: int,
    attack_step_size: float | None = None,
) -> Tensor:
    """`ascend` from a uniform random point of the ball around each image (Madry et al., 2018).

    The size of a step is 2.5 epsilon / steps unless given, as Madry et al. take it: enough to
    reach any point of the ball from any other.
    """
    step = 2.5 * epsilon / attack_steps if attack_step_size is None else attack_step_size
    drawn = torch.from_numpy(rng.uniform(-epsilon, epsilon, tuple(images.shape)))
    start = (images + drawn.to(images)).clamp(0, 1)
    return ascend(images, start, loss, epsilon=epsilon, step=step, steps=attack_steps)


def l2(images: Tensor, loss: SummedLoss, _rng: np.random.Generator, *, epsilon: float) -> Tensor:
    """x + epsilon * sqrt(d) * g / ||g||_2 with g = dL/dx, clipped to the [0, 1] pixel range.

    One step of a given length along the gradient (Miyato et al., 2017). d is the number of values
    of an image, so epsilon is the root mean square of the change: a step is as long as one of
    `fgsm` with the same epsilon, whatever the size of the images. An image whose gradient is zero
    stays where it is.
    """
    return (images + epsilon * unit_root_mean_square(input_gradient(images, loss))).clamp(0, 1)


def ascend(
    images: Tensor,
    start: Tensor,
    loss: SummedLoss,
    *,
    epsilon: float,
    step: float,
    steps: int,
) -> Tensor:
    """Climb the loss by signs from `start`, at most epsilon away from `images` in any pixel.

    x_{t+1} = clip(x_t + step * sign(dL/dx_t)) to the epsilon-ball of the maximum norm around
    the images and to [0, 1] (Madry et al., 2018). Only the gradient with respect to the images is
    computed.
    """
    moved = start
    for _ in range(steps):
        climbed = moved + step * input_gradient(moved, loss).sign()
        moved = climbed.clamp(images - epsilon, images + epsilon).clamp(0, 1)
    return moved


def unit_root_mean_square(directions: Tensor) -> Tensor:
    """(n, ...) scaled so that the mean of squares of each of the n is 1; zeros stay zeros."""
    # The largest value is divided out first: squares of small gradients would vanish.
    flat = directions.flatten(1)
    flat = flat / flat.abs().amax(1, keepdim=True).clamp(min=torch.finfo(flat.dtype).tiny)
    length = flat.square().mean(1, keepdim=True).sqrt()
    return (flat / length.where(length > 0, 1)).view_as(directions)


def input_gradient(images: Tensor, loss: SummedLoss) -> Tensor:
    """dL/dx of the shape of the images; no gradient of a weight is computed or kept."""
    with torch.enable_grad():
        images = images.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(loss(images), images)
    return gradient
