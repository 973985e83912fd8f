"""What a classifier descends: losses of logits and targets, which may be soft."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

# (n, k) float32 logits; (n, k) targets, rows that sum to 1; (k,) training images per class before
# oversampling; how much of the training is done, in [0, 1] -> (n,) losses.
Loss = Callable[[Tensor, Tensor, Tensor, float], Tensor]

GAMMA = 2.0  # the focusing parameter that Lin et al. found best


def cross_entropy(logits: Tensor, targets: Tensor, _counts: Tensor, _progress: float) -> Tensor:
    """-sum_k y_k log p_k, with p = softmax(z)."""
    return functional.cross_entropy(logits, targets, reduction="none")


def balanced_softmax(logits: Tensor, targets: Tensor, counts: Tensor, _progress: float) -> Tensor:
    """-sum_k y_k log p_k, with p = softmax(z + log n) (Ren et al., 2020, equation 4).

    n_k is the number of training images of class k. Their log prior is added to the logits while
    training only, so that predictions do not favour the large classes.
    """
    return functional.cross_entropy(logits + counts.to(logits).log(), targets, reduction="none")


def focal(logits: Tensor, targets: Tensor, _counts: Tensor, _progress: float) -> Tensor:
    """-sum_k y_k (1 - p_k)^gamma log p_k, with p = softmax(z) (Lin et al., 2017, equation 4).

    For a hard target the sum has one term, the paper's. `GAMMA` is the paper's 2.
    """
    log_p = functional.log_softmax(logits, 1)
    return -(targets * (1 - log_p.exp()) ** GAMMA * log_p).sum(1)
