"""The two losses of DeepSMOTE (Dablain et al., 2022, Algorithm 1)."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

Network = Callable[[Tensor], Tensor]


def recon_loss(images: Tensor, *, encode: Network, decode: Network) -> Tensor:
    """R_L = 1/n sum (D_b - b)^2: the mean squared error of a batch and its reconstruction.

    images: (n, c, h, w) in [0, 1] -> a scalar, 0 for n = 0. The mean runs over pixels too, in units
    of the [0, 1] pixel range, so that the value does not depend on the size of the images.
    """
    return _mean_square(decode(encode(images)), images)


def penalty_loss(
    class_batch: Tensor,
    order: Tensor,
    *,
    aligned: bool,
    encode: Network,
    decode: Network,
    originals: Tensor | None = None,
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
        return _mean_square(decoded, class_batch[order])
    return _mean_square(decoded, class_batch if originals is None else originals)


def _mean_square(decoded: Tensor, target: Tensor) -> Tensor:
    # The sum over no image is 0, and the mean would be no number.
    return functional.mse_loss(decoded.float(), target, reduction="mean" if len(target) else "sum")
