from __future__ import annotations

import pytest
import torch
from torch import nn

from imbsynth.core.autoencoder_losses import penalty_loss, recon_loss

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
