from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from imbsynth.core.autoencoder_losses import (
    censored_l1,
    censored_mse,
    mse,
    penalty_loss,
    recon_loss,
)

IMAGES = torch.tensor([0.1, 0.5, 0.9]).reshape(3, 1, 1, 1)
ORDER = torch.tensor([1, 2, 0])


def same(images: torch.Tensor) -> torch.Tensor:
    return images


def half(images: torch.Tensor) -> torch.Tensor:
    return images / 2


def test_the_reconstruction_loss_by_hand() -> None:
    expected = (0.05**2 + 0.25**2 + 0.45**2) / 3
    assert recon_loss(IMAGES, encode=half, decode=same).item() == pytest.approx(expected)


def test_the_permuted_penalty_compares_each_image_with_another() -> None:
    found = penalty_loss(IMAGES, ORDER, aligned=False, encode=same, decode=same).item()
    assert found == pytest.approx((0.4**2 + 0.4**2 + 0.8**2) / 3)


def test_the_aligned_penalty_is_a_reconstruction_loss() -> None:
    aligned = penalty_loss(IMAGES, ORDER, aligned=True, encode=half, decode=same)
    assert aligned.item() == pytest.approx(recon_loss(IMAGES, encode=half, decode=same).item())


@pytest.mark.parametrize("aligned", [True, False])
def test_the_gradient_reaches_encoder_and_decoder(aligned: bool) -> None:
    encoder, decoder = nn.Linear(1, 2), nn.Linear(2, 1)
    images = IMAGES.reshape(3, 1)
    penalty_loss(images, ORDER, aligned=aligned, encode=encoder, decode=decoder).backward()
    for module in (encoder, decoder):
        assert module.weight.grad is not None
        assert module.weight.grad.abs().sum() > 0


def test_a_censored_error_by_hand() -> None:
    target = torch.tensor([0.0, 0.0, 1.0, 1.0, 0.5, 0.5])
    decoded = torch.tensor([-0.1, 0.1, 1.1, 0.8, -0.1, 1.1])
    assert censored_mse(decoded, target).item() == pytest.approx(
        (0.1**2 + 0.2**2 + 0.6**2 + 0.6**2) / 6
    )
    assert censored_l1(decoded, target).item() == pytest.approx((0.1 + 0.2 + 0.6 + 0.6) / 6)


def test_within_the_range_a_censored_error_is_the_usual_one() -> None:
    generator = torch.Generator().manual_seed(0)
    decoded, target = torch.rand(2, 5, 1, 4, 4, generator=generator)
    usual = torch.nn.functional
    torch.testing.assert_close(mse(decoded, target), usual.mse_loss(decoded, target))
    torch.testing.assert_close(censored_mse(decoded, target), usual.mse_loss(decoded, target))
    torch.testing.assert_close(censored_l1(decoded, target), usual.l1_loss(decoded, target))


@pytest.mark.parametrize("error", [mse, censored_mse, censored_l1])
def test_the_error_of_no_image_is_nothing(error: Any) -> None:
    assert error(torch.empty(0, 1, 2, 2), torch.empty(0, 1, 2, 2)).item() == 0


def test_a_value_beyond_its_limit_is_not_pulled_back() -> None:
    decoded = torch.tensor([-0.1, 0.1], requires_grad=True)
    censored_mse(decoded, torch.zeros(2)).backward()
    assert decoded.grad is not None
    assert decoded.grad[0] == 0
    assert decoded.grad[1] > 0
