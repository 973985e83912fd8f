"""Batch normalisation of a single share is torch's own; those of several are in test_processes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from imbsynth.models.global_norm import GlobalNorm

# Sums of some hundred float32 values, in another order; of bf16, what it keeps: 8 bits.
TOLERANCE = {torch.float32: 1e-4, torch.bfloat16: 3e-2}


def normalised(norm: nn.Module, maps: Tensor, slope: Tensor) -> tuple[Tensor, Tensor]:
    """What comes out, and the gradient of its scalar product with `slope`."""
    maps = maps.clone().requires_grad_()
    found = norm(maps)
    (gradient,) = torch.autograd.grad((found * slope).sum(), maps)
    return found, gradient


@pytest.mark.parametrize("dtype", list(TOLERANCE))
@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: nn.BatchNorm2d(5), (8, 5, 4, 3)),
        (lambda: nn.BatchNorm2d(5, affine=False, momentum=None), (8, 5, 4, 3)),
        (lambda: nn.BatchNorm2d(5, track_running_stats=False), (8, 5, 4, 3)),
        (lambda: nn.BatchNorm1d(5), (8, 5)),
    ],
    ids=["affine", "plain average", "no statistics", "rows"],
)
def test_a_whole_batch_is_normalised_as_by_torch(
    make: Callable[[], nn.Module], shape: tuple[int, ...], dtype: torch.dtype
) -> None:
    maps, slope = torch.randn(shape) * 3 + 20, torch.randn(shape)
    maps[:, 2] = 7.0  # a constant channel
    maps, slope = maps.to(dtype), slope.to(dtype)
    plain, ours = make(), make()
    expected, wanted = normalised(plain, maps, slope)
    with GlobalNorm(lambda values: values):
        found, gradient = normalised(ours, maps, slope)
    assert found.dtype == dtype
    torch.testing.assert_close(found, expected, rtol=0, atol=TOLERANCE[dtype])
    # A constant channel is divided by the root of eps, so its gradient is 300 times as large.
    scale = torch.ones(shape[1])
    scale[2] = 300
    scale = scale.view(-1, *[1] * (len(shape) - 2))
    torch.testing.assert_close(gradient / scale, wanted / scale, rtol=0, atol=TOLERANCE[dtype])
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[name], value, rtol=1e-5, atol=1e-5)


def test_evaluation_is_left_as_it_is() -> None:
    norm, maps = nn.BatchNorm2d(5).eval(), torch.randn(4, 5, 2, 2)
    with GlobalNorm(lambda _: pytest.fail("nothing to sum")):
        assert torch.equal(norm(maps), norm(maps))
