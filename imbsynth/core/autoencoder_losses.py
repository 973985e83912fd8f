"""The two losses of DeepSMOTE (Dablain et al., 2022, Algorithm 1)."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

Network = Callable[[Tensor], Tensor]


def recon_loss(images: Tensor, *, encode: Network, decode: Network) -> Tensor:
    """R_L = 1/n sum (D_b - b)^2: the mean squared error of a batch and its reconstruction.

    images: (n, c, h, w) in [0, 1] -> a scalar. The mean runs over pixels too, in units of the
    [0, 1] pixel range, so that the value does not depend on the size of the images.
    """
    return functional.mse_loss(decode(encode(images)).float(), images)


def penalty_loss(
    class_batch: Tensor, order: Tensor, *, aligned: bool, encode: Network, decode: Network
) -> Tensor:
    """P_L = 1/n sum (D_P - C_D)^2: decode a class batch's latent vectors in another order.

    class_batch: (n, c, h, w) images in [0, 1], all of one class; order: (n,) int64, a
    permutation -> a scalar. As the paper prints it, the target is the batch in its original
    order, so each decoded image is compared with another image of its class. `aligned` permutes
    the target as well, as the authors' script does: a plain reconstruction of a batch whose class
    is drawn uniformly.
    """
    decoded = decode(encode(class_batch)[order])
    target = class_batch[order] if aligned else class_batch
    return functional.mse_loss(decoded.float(), target)
