from __future__ import annotations

import pytest
import torch
from torch import nn

from imbsynth.models.autoencoder import Autoencoder, AutoencoderShape, default_latent_dim
from imbsynth.models.fast.convolutions import Doubling, Growing, Halving
from imbsynth.runtime import initialised


def on_meta(shape: AutoencoderShape) -> Autoencoder:
    with torch.device("meta"):
        return Autoencoder(shape)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "size",
    [(8, 8), (28, 28), (32, 32), (37, 23), (9, 256), (64, 64), (79, 80), (150, 150), (256, 255)],
)
def test_any_size_comes_back_as_it_went_in(channels: int, size: tuple[int, int]) -> None:
    model = on_meta(AutoencoderShape(channels, *size, 20))
    images = torch.zeros(2, channels, *size, device="meta")
    latents = model.encode(images)
    assert latents.shape == (2, 20)
    assert model.decode(latents).shape == images.shape


@pytest.mark.parametrize("side", range(8, 257, 31))
def test_every_width_comes_back(side: int) -> None:
    for width in range(8, 257, 13):
        model = on_meta(AutoencoderShape(1, side, width, 4))
        assert model(torch.zeros(2, 1, side, width, device="meta")).shape == (2, 1, side, width)


@pytest.mark.parametrize(("channels", "side"), [(1, 28), (3, 32)])
def test_the_network_is_the_papers(channels: int, side: int) -> None:
    model = on_meta(AutoencoderShape(channels, side, side, default_latent_dim(channels)))
    down = [m for m in model.encoder if isinstance(m, Halving)]
    up = [m for m in model.decoder if isinstance(m, Doubling)]
    assert [m.out_channels for m in down] == [64, 128, 256, 512]
    assert [m.out_channels for m in up] == [256, 128, 64, channels]
    assert all(m.kernel_size == (4, 4) and m.stride == (2, 2) for m in [*down, *up])
    assert sum(isinstance(m, nn.BatchNorm2d) for m in model.encoder) == 4
    assert isinstance(model.decoder[-1], nn.Tanh)
    dense = model.encoder[-1]
    assert isinstance(dense, nn.Linear)
    assert dense.out_features == {1: 300, 3: 600}[channels]


def test_the_scripts_decoder_is_the_scripts() -> None:
    model = on_meta(AutoencoderShape(1, 28, 28, 300, "script"))
    seed = [m for m in model.decoder if isinstance(m, nn.Unflatten)]
    assert seed[0].unflattened_size == (512, 7, 7)
    up = [m for m in model.decoder if isinstance(m, nn.ConvTranspose2d)]
    assert [m.out_channels for m in up] == [256, 128, 1]
    assert [m.stride for m in up] == [(1, 1), (1, 1), (2, 2)]
    assert all(m.kernel_size == (4, 4) and m.padding == (0, 0) for m in up)
    assert sum(isinstance(m, Growing) for m in up) == 2


@pytest.mark.parametrize(("channels", "size"), [(3, (16, 16)), (1, (28, 28)), (3, (32, 64))])
def test_the_scripts_decoder_makes_even_sizes(channels: int, size: tuple[int, int]) -> None:
    model = on_meta(AutoencoderShape(channels, *size, 20, "script"))
    images = torch.zeros(2, channels, *size, device="meta")
    assert model.decode(model.encode(images)).shape == images.shape


@pytest.mark.parametrize("seed", range(5))
def test_no_pixel_begins_at_the_flat_ends_of_tanh(seed: int) -> None:
    model = initialised(lambda: Autoencoder(AutoencoderShape(1, 8, 8, 300)), seed)
    made = model(torch.rand(100, 1, 8, 8, generator=torch.Generator().manual_seed(seed)))
    assert made.min() > 0.02
    assert made.max() < 0.98


def test_images_come_out_in_the_unit_range() -> None:
    model = Autoencoder(AutoencoderShape(3, 11, 8, 5)).eval()
    made = model(torch.rand(4, 3, 11, 8))
    assert made.min() >= 0
    assert made.max() <= 1
