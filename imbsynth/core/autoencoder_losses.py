"""The two losses of DeepSMOTE (Dablain et al., 2022, Algorithm 1), by several kinds of error."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

Network = Callable[[Tensor], Tensor]
Error = Callable[[Tensor, Tensor], Tensor]


def mse(decoded: Tensor, target: Tensor) -> Tensor:
    """The mean squared error of pixels.

    decoded: (n, c, h, w); target: (n, c, h, w) in [0, 1] -> a scalar, 0 for n = 0.
    """
    # The sum over no image is 0, and the mean would be no number.
    reduction = "mean" if len(target) else "sum"
    return functional.mse_loss(decoded.float(), target, reduction=reduction)


def censored_mse(decoded: Tensor, target: Tensor) -> Tensor:
    """The same where black and white are censored values: they say "at most 0", "at least 1".

    A decoded value beyond them is no error (the likelihood's limit in Tobin, "Estimation of
    Relationships for Limited Dependent Variables", 1958, replaced by no cost at all). So a decoder
    that may go past the ends gives plain black, where one that only comes near them leaves noise.
    """
    return _mean(_censored(decoded, target).square())


def censored_l1(decoded: Tensor, target: Tensor) -> Tensor:
    """The mean absolute error, censored likewise: blur costs it more than a few large errors."""
    return _mean(_censored(decoded, target).abs())


def recon_loss(images: Tensor, *, encode: Network, decode: Network, error: Error = mse) -> Tensor:
    """R_L = 1/n sum (D_b - b)^2: the error of a batch and its reconstruction.

    images: (n, c, h, w) in [0, 1] -> a scalar, 0 for n = 0. The mean runs over pixels too, in units
    of the [0, 1] pixel range, so that the value does not depend on the size of the images.
    """
    return error(decode(encode(images)), images)


def penalty_loss(
    class_batch: Tensor,
    order: Tensor,
    *,
    aligned: bool,
    encode: Network,
    decode: Network,
    originals: Tensor | None = None,
    error: Error = mse,
) -> Tensor:
    """P_L = 1/n sum (D_P - C_D)^2: decode a class batch's latent vectors in another order.

    class_batch: (n, c, h, w) images in [0, 1], all of one class; order: (n,) int64, a
    permutation -> a scalar. As the paper prints it, the target is the batch in its original
    order, so each decoded image is compared with another image of its class. `aligned` permutes
    the target as well, as the authors' script does: a plain reconstruction of a batch whose class
    is drawn uniformly.

    originals: the images at the places that are decoded, where only a share of the batch is:
    class_batch then holds those whose latent vectors are put there, and order their places in it.
    """
    decoded = decode(encode(class_batch)[order])
    if aligned:
        return error(decoded, class_batch[order])
    return error(decoded, class_batch if originals is None else originals)


def _censored(decoded: Tensor, target: Tensor) -> Tensor:
    """The differences, 0 where a value is beyond the end of the range at which its target is."""
    beyond = ((target <= 0) & (decoded < 0)) | ((target >= 1) & (decoded > 1))
    return torch.where(beyond, 0.0, decoded.float() - target)


def _mean(errors: Tensor) -> Tensor:
    return errors.mean() if len(errors) else errors.sum()
