"""Moving images towards and past a decision boundary: one loop, and FGSM as a single turn of it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Loss = Callable[[Tensor], Tensor]  # (n, c, h, w) images -> a scalar, summed over the images


def fgsm(images: Tensor, loss: Loss, epsilon: float) -> Tensor:
    """x + epsilon * sign(dL/dx), clipped to the [0, 1] pixel range (Goodfellow et al., 2015)."""
    return ascend(images, loss, epsilon=epsilon, step=epsilon, steps=1)


def ascend(images: Tensor, loss: Loss, *, epsilon: float, step: float, steps: int) -> Tensor:
    """Climb the loss: (n, c, h, w) images in [0, 1] -> moved images, at most `epsilon` away.

    x_{t+1} = clip(x_t + step * sign(dL/dx_t)) to the epsilon-ball of the maximum norm around
    the images and to [0, 1] (Madry et al., 2018). `loss` must treat images independently: then
    each one's gradient does not hang on the batch. Only the gradient with respect to the images is
    computed.
    """
    moved = images
    for _ in range(steps):
        climbed = moved + step * input_gradient(moved, loss).sign()
        moved = climbed.clamp(images - epsilon, images + epsilon).clamp(0, 1)
    return moved


def input_gradient(images: Tensor, loss: Loss) -> Tensor:
    """dL/dx of the shape of the images; no gradient of a weight is computed or kept."""
    with torch.enable_grad():
        images = images.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(loss(images), images)
    return gradient
