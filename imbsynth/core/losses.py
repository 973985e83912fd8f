"""What a classifier descends: losses of logits and targets, which may be soft.

Every loss is linear in the targets: that of a blend is the blend of the losses.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

# (n, k) float32 logits; (n, k) targets, rows that sum to 1; (k,) training images per class before
# oversampling; how much of the training is done, in [0, 1] -> (n,) losses.
Loss = Callable[[Tensor, Tensor, Tensor, float], Tensor]
Tail = float | None  # the last share of the training; None: all of it

GAMMA = 2.0  # the focusing parameter that Lin et al. found best
LARGEST_MARGIN = 0.5  # between cosines, of the rarest class (Cao et al., 2019)
SCALE = 30.0  # of the cosines that a cosine head gives as logits (models/heads.py)


def cross_entropy(logits: Tensor, targets: Tensor, _counts: Tensor, _done: float) -> Tensor:
    """-sum_k y_k log p_k, with p = softmax(z)."""
    return functional.cross_entropy(logits, targets, reduction="none")


def class_balanced(
    logits: Tensor, targets: Tensor, counts: Tensor, done: float, *, beta: float, defer: Tail = None
) -> Tensor:
    """-sum_k y_k w_k log p_k, with p = softmax(z) and the weights of `class_weights`.

    With `defer`, w = 1 until the last such fraction of the training ("deferred re-weighting", Cao
    et al., 2019).
    """
    weighted = targets * class_weights(counts, beta).to(logits) if begun(done, defer) else targets
    return functional.cross_entropy(logits, weighted, reduction="none")


def balanced_softmax(
    logits: Tensor, targets: Tensor, counts: Tensor, done: float, *, defer: Tail = None
) -> Tensor:
    """-sum_k y_k log p_k, with p = softmax(z + log n) (Ren et al., 2020, equation 4).

    n_k is the number of training images of class k. Their log prior is added to the logits while
    training only, so that predictions do not favour the large classes. With `defer`, it is
    multiplied by a factor that rises from 0 to 1 over the last such fraction of the training.
    """
    strength = 1.0 if defer is None else max(0.0, 1 - (1 - done) / defer)
    prior = strength * counts.to(logits).log()
    return functional.cross_entropy(logits + prior, targets, reduction="none")


def ldam(
    logits: Tensor, targets: Tensor, counts: Tensor, done: float, *, beta: float, defer: Tail = None
) -> Tensor:
    """-sum_k y_k log(e^(z_k - s D_k) / (e^(z_k - s D_k) + sum_(j != k) e^z_j)) (Cao et al., 2019).

    Equation 13, with logits z = s cos of a cosine head and the margins D of `margins`. With
    `defer`, the terms are weighted by `class_weights` in the last such fraction of the training
    (LDAM-DRW).
    """
    weighted = targets
    if defer is not None and begun(done, defer):
        weighted = targets * class_weights(counts, beta).to(logits)
    lead = logits - log_sum_of_others(logits)  # of each class over all others
    return (weighted * functional.softplus(SCALE * margins(counts).to(logits) - lead)).sum(1)


def focal(logits: Tensor, targets: Tensor, _counts: Tensor, _done: float) -> Tensor:
    """-sum_k y_k (1 - p_k)^gamma log p_k, with p = softmax(z) (Lin et al., 2017, equation 4).

    For a hard target the sum has one term, the paper's. `GAMMA` is the paper's 2.
    """
    log_p = functional.log_softmax(logits, 1)
    return -(targets * (1 - log_p.exp()) ** GAMMA * log_p).sum(1)


def begun(done: float, defer: Tail) -> bool:
    """Whether the last `defer` of the training is reached; None: it began with the training."""
    return defer is None or done >= 1 - defer


def class_weights(counts: Tensor, beta: float) -> Tensor:
    """w_k proportional to (1 - beta) / (1 - beta^n_k) (Cui et al., 2019, equation 4).

    (k,) images -> (k,) float64 weights whose mean over the images is 1. The paper's mean over the
    classes is 1: that would make the loss, and so each step, smaller by up to the imbalance ratio.
    The code of Cao et al. divides by the sum over each batch, to the same effect.
    """
    n = counts.double()
    weights = (1 - beta) / (1 - beta**n)
    return weights * (n.sum() / (n * weights).sum())


def margins(counts: Tensor) -> Tensor:
    """D_k = C / n_k^(1/4), with C such that the largest is `LARGEST_MARGIN` (Cao et al., 2019).

    (k,) images -> (k,) float64 differences of cosines.
    """
    inverse = counts.double() ** -0.25
    return LARGEST_MARGIN * inverse / inverse.max()


def log_sum_of_others(logits: Tensor) -> Tensor:
    """log sum_(j != k) e^z_j: (n, k) -> (n, k), without loss of digits where one class leads."""
    top = functional.one_hot(logits.argmax(1), logits.shape[1]).bool()
    log_sum = logits.logsumexp(1, keepdim=True)
    # At most one half for all but the leading class, where this logarithm would be inexact.
    shares = (logits - log_sum).exp().masked_fill(top, 0)
    behind_top = logits.masked_fill(top, -torch.inf).logsumexp(1, keepdim=True)
    return torch.where(top, behind_top, log_sum + torch.log1p(-shares))
