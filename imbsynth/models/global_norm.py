"""Batch normalisation over a batch whose images are shared out among processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

Total = Callable[[Tensor], Tensor]  # the sum of a tensor over the processes, on its device


class GlobalNorm(TorchFunctionMode):
    """Within the block, every batch normalisation in training takes the statistics of all shares.

    As torch.nn.SyncBatchNorm, but on CPUs too, whatever the layer that calls `batch_norm`, and for
    shares of different sizes, of which some may be empty. All processes have to pass the same
    layers. The gradient of the scale and shift is that of the own share; the caller sums those of
    all weights. In evaluation, nothing changes.
    """

    def __init__(self, total: Total) -> None:
        super().__init__()
        self.total = total

    def __torch_function__(
        self, func: Any, _types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is functional.batch_norm:
            return self._batch_norm(*args, **kwargs or {})
        return func(*args, **kwargs or {})

    def _batch_norm(
        self,
        maps: Tensor,
        running_mean: Tensor | None,
        running_var: Tensor | None,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        **options: Any,
    ) -> Tensor:
        """As torch.nn.functional.batch_norm. options: training, momentum and eps."""
        if not options["training"]:
            return functional.batch_norm(maps, running_mean, running_var, weight, bias, **options)
        mean, variance, count = _moments(maps.detach(), self.total)
        if running_mean is not None and running_var is not None:
            momentum = options["momentum"]
            running_mean.lerp_(mean, momentum)
            running_var.lerp_(variance * (count / (count - 1)), momentum)
        scale = torch.ones_like(mean) if weight is None else weight
        shift = torch.zeros_like(mean) if bias is None else bias
        moments = (mean, variance, count)
        normalised: Tensor = _Normalise.apply(
            maps, scale, shift, moments, options["eps"], self.total
        )
        return normalised


ChannelMoments = tuple[Tensor, Tensor, Tensor]  # (c,) mean, (c,) variance, () number of values


def _moments(maps: Tensor, total: Total) -> ChannelMoments:
    """Of the channels of (n, c, ...) maps of all processes, with at least two values each.

    Sums of squares in float64: the mean may be much larger than the deviation.
    """
    exact = torch.promote_types(maps.dtype, torch.float32)
    channels = maps.shape[1]
    own = maps.numel() // channels
    sums = maps.new_zeros(2 * channels + 1, dtype=torch.float64)
    if own:
        # As it is computed for one process: torch.var_mean takes seven times as long on a CPU.
        _, mean, inverse = torch.native_batch_norm(
            maps.to(exact), None, None, None, None, True, 0.0, 0.0
        )
        # Of a constant channel, some devices say that the inverse is 0, others that it is infinite.
        variance = inverse.double().pow(-2).where(inverse > 0, 0)
        mean = mean.double()
        sums[:channels] = own * mean
        sums[channels:-1] = own * (variance + mean.square())
        sums[-1] = own
    sums = total(sums)
    count = sums[-1]
    mean, square = sums[:-1].div(count).split(channels)
    variance = (square - mean.square()).clamp(min=0)
    return mean.to(exact), variance.to(exact), count.to(exact)


class _Normalise(torch.autograd.Function):
    """w (x - mean) / sqrt(variance + eps) + b, where mean and variance depend on x."""

    @staticmethod
    def forward(
        ctx: Any,
        maps: Tensor,
        weight: Tensor,
        bias: Tensor,
        moments: ChannelMoments,
        eps: float,
        total: Total,
    ) -> Tensor:
        mean, variance, count = moments
        ctx.save_for_backward(maps, weight, mean, variance, count)
        ctx.eps, ctx.total = eps, total
        normalised: Tensor = torch.batch_norm(
            maps, weight, bias, mean, variance, False, 0.0, eps, False
        )
        return normalised

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        """With y = (x - mean) / sd and n values: dL/dx = w / sd (g - sum g / n - y sum(g y) / n).

        Ioffe and Szegedy (2015, section 3). The sums run over all processes.
        """
        maps, weight, mean, variance, count = ctx.saved_tensors
        direct, of_weight, of_bias = _direct(gradients[0], maps, weight, mean, variance, ctx.eps)
        sum_gy, sum_g = ctx.total(torch.cat([of_weight, of_bias])).split(len(mean))
        inverse = (variance + ctx.eps).rsqrt()
        slope = weight * inverse.square() * sum_gy / count
        level = weight * inverse * sum_g / count - slope * mean
        axes = [-1] + [1] * (maps.ndim - 2)
        slope, level = (part.view(axes).to(direct.dtype) for part in (slope, level))
        return direct.addcmul_(maps, slope, value=-1).sub_(level), of_weight, of_bias, *[None] * 3


def _direct(
    gradient: Tensor, maps: Tensor, weight: Tensor, mean: Tensor, variance: Tensor, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients of maps, weight and bias, as if mean and variance were constants."""
    if not len(maps):  # torch's own function would divide by zero
        return torch.zeros_like(maps), torch.zeros_like(mean), torch.zeros_like(mean)
    found: tuple[Tensor, Tensor, Tensor] = torch.ops.aten.native_batch_norm_backward(
        gradient.contiguous(memory_format=_layout(maps)),
        maps,
        weight,
        mean,
        variance,
        None,
        None,
        False,
        eps,
        [True, True, True],
    )
    return found


def _layout(maps: Tensor) -> torch.memory_format:
    if maps.ndim == 4 and maps.is_contiguous(memory_format=torch.channels_last):
        return torch.channels_last
    return torch.contiguous_format
