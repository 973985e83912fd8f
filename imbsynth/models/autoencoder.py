"""DeepSMOTE's encoder and decoder: DCGAN's networks, mirrored (Dablain et al., 2022, V-A.8)."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from imbsynth.models.convolutions import Doubling, Halving, halved
from imbsynth.models.filtering import Size

WIDTHS = (64, 128, 256, 512)  # the paper's channels a layer
SMALLEST_MAP = 4  # pixels; a larger map would make the dense layers outgrow everything else
NEGATIVE_SLOPE = 0.2  # of LeakyReLU, DCGAN's
INITIAL_DEVIATION = 0.02  # of the last layer's weights, DCGAN's


class Shape(NamedTuple):
    """What an autoencoder is built for."""

    channels: int  # 1 or 3
    height: int  # pixels
    width: int  # pixels
    latent_dim: int


class Autoencoder(nn.Module):
    """Images in [0, 1] to latents and back; within, pixels are in [-1, 1], the range of Tanh.

    The encoder halves the map with kernels of 4 and stride 2, each followed by batch
    normalisation and LeakyReLU, and ends in a dense layer; the decoder mirrors it with
    transposed convolutions and ReLU, and ends in Tanh. The paper's four layers serve up to 79
    pixels a side; beyond, layers of 512 channels are added until the map is at most 4 pixels
    across (the paper stays at 32 pixels).
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        sizes = _sizes((shape.height, shape.width))
        widths = [shape.channels, *WIDTHS]
        widths += [WIDTHS[-1]] * (len(sizes) - len(widths))
        area = sizes[-1][0] * sizes[-1][1]

        down: list[nn.Module] = []
        for i, size in enumerate(sizes[:-1]):
            down += [Halving(widths[i], widths[i + 1], size), nn.BatchNorm2d(widths[i + 1])]
            down += [nn.LeakyReLU(NEGATIVE_SLOPE, inplace=True)]
        self.encoder = nn.Sequential(
            *down, nn.Flatten(), nn.Linear(widths[-1] * area, shape.latent_dim)
        )

        up: list[nn.Module] = [
            nn.Linear(shape.latent_dim, widths[-1] * area, bias=False),
            nn.Unflatten(1, (widths[-1], *sizes[-1])),
            nn.BatchNorm2d(widths[-1]),
            nn.ReLU(inplace=True),
        ]
        for i in range(len(sizes) - 2, 0, -1):
            up += [Doubling(widths[i + 1], widths[i], sizes[i], bias=False)]
            up += [nn.BatchNorm2d(widths[i]), nn.ReLU(inplace=True)]
        last = Doubling(widths[1], widths[0], sizes[0], bias=True)
        # DCGAN's initialisation. torch's own starts some pixels deep in the flat ends of Tanh,
        # where they stay: a white dot in every zero of the sample data after 50 epochs.
        nn.init.normal_(last.weight, std=INITIAL_DEVIATION)
        self.decoder = nn.Sequential(*up, last, nn.Tanh())

    def encode(self, images: Tensor) -> Tensor:
        """(n, c, h, w) images in [0, 1] -> (n, d) latents."""
        return self.encoder(images * 2 - 1)

    def decode(self, latents: Tensor) -> Tensor:
        """(n, d) latents -> (n, c, h, w) images in [0, 1]."""
        return (self.decoder(latents) + 1) / 2

    def forward(self, images: Tensor) -> Tensor:
        """(n, c, h, w) images in [0, 1] -> their reconstructions, of the same shape and range."""
        return self.decode(self.encode(images))


def _sizes(size: Size) -> list[Size]:
    """The size of the map before each layer, and after the last."""
    sizes = [size]
    while len(sizes) <= len(WIDTHS) or max(sizes[-1]) > SMALLEST_MAP:
        sizes.append(halved(sizes[-1]))
    return sizes


def default_latent_dim(channels: int) -> int:
    """The paper's 300 for gray images and 600 for colour (V-A.8)."""
    return 300 if channels == 1 else 600
