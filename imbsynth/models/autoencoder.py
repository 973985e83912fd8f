"""DeepSMOTE's autoencoder: DCGAN's discriminator and its mirror (Dablain et al., 2022, V-A.8), or
the decoder of the authors' public script, which differs from the paper's."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from imbsynth.models.fast.convolutions import KERNEL, Doubling, Growing, Halving, halved
from imbsynth.models.fast.filtering import Size

WIDTHS = (64, 128, 256, 512)  # the paper's channels per layer
SMALLEST_MAP = 4  # pixels; a larger map would make the dense layers outgrow everything else
OVERSHOOT = 1.2  # pixels reach from -0.1 to 1.1 of the [0, 1] range, where they may pass its ends
NEGATIVE_SLOPE = 0.2  # of LeakyReLU, DCGAN's
INITIAL_DEVIATION = 0.02  # of the last layer's weights, DCGAN's


class AutoencoderShape(NamedTuple):
    """The images and latent vectors that an autoencoder is built for."""

    channels: int  # 1 or 3
    height: int  # pixels
    width: int  # pixels
    latent_dim: int
    decoder: str = "mirrored"  # or "script"
    overshoots: bool = False  # decoded pixels may pass black and white while it learns


class Autoencoder(nn.Module):
    """Images in [0, 1] to latent vectors and back; inside, pixels are in [-1, 1], Tanh's range.

    The encoder halves the map with kernels of 4 and stride 2, each followed by batch
    normalisation and LeakyReLU, and ends in a dense layer; the decoder mirrors it with
    transposed convolutions and ReLU, and ends in Tanh. The paper's four layers are used up to 79
    pixels a side; for larger images, layers of 512 channels are added until the map is at most 4
    pixels across (the paper has images of up to 32 pixels).

    The script's decoder instead starts from a map of half the image's size less 7 pixels (7x7 for
    28x28), grows it with two layers of stride 1, and doubles it once: about seven times the
    arithmetic at 28x28. Height and width must be even and at least 16 pixels (the script itself
    takes 28x28 gray). Initialisation and biases are the same as in the mirrored decoder.

    Where it overshoots, decoded pixels leave the [0, 1] range by up to a tenth while the network
    learns, and are clipped to it afterwards: Tanh alone comes near black, and never there.
    """

    def __init__(self, shape: AutoencoderShape) -> None:
        super().__init__()
        self.shape = shape
        sizes, widths = _maps(shape)
        area = sizes[-1][0] * sizes[-1][1]

        down: list[nn.Module] = []
        for i, size in enumerate(sizes[:-1]):
            down += [Halving(widths[i], widths[i + 1], size), nn.BatchNorm2d(widths[i + 1])]
            down += [nn.LeakyReLU(NEGATIVE_SLOPE, inplace=True)]
        self.encoder = nn.Sequential(
            *down, nn.Flatten(), nn.Linear(widths[-1] * area, shape.latent_dim)
        )

        decoder = _scripts_decoder if shape.decoder == "script" else _mirrored_decoder
        self.decoder = nn.Sequential(*decoder(shape), nn.Tanh())

    def encode(self, images: Tensor) -> Tensor:
        """(n, c, h, w) images in [0, 1] -> (n, d) latent vectors."""
        return self.encoder(images * 2 - 1)

    def decode(self, latents: Tensor) -> Tensor:
        """(n, d) latent vectors -> (n, c, h, w) images in [0, 1]."""
        pixels = self.decoder(latents)
        if not self.shape.overshoots:
            return (pixels + 1) / 2
        pixels = (OVERSHOOT * pixels + 1) / 2
        return pixels if self.training else pixels.clamp(0, 1)

    def forward(self, images: Tensor) -> Tensor:
        """(n, c, h, w) images in [0, 1] -> their reconstructions, of the same shape and range."""
        return self.decode(self.encode(images))


def _mirrored_decoder(shape: AutoencoderShape) -> list[nn.Module]:
    sizes, widths = _maps(shape)
    area = sizes[-1][0] * sizes[-1][1]
    layers: list[nn.Module] = [
        nn.Linear(shape.latent_dim, widths[-1] * area, bias=False),
        nn.Unflatten(1, (widths[-1], *sizes[-1])),
        nn.BatchNorm2d(widths[-1]),
        nn.ReLU(inplace=True),
    ]
    for i in range(len(sizes) - 2, 0, -1):
        layers += [Doubling(widths[i + 1], widths[i], sizes[i], bias=False)]
        layers += [nn.BatchNorm2d(widths[i]), nn.ReLU(inplace=True)]
    return [*layers, _initialised(Doubling(widths[1], widths[0], sizes[0], bias=True))]


def _scripts_decoder(shape: AutoencoderShape) -> list[nn.Module]:
    first, second, third = WIDTHS[3], WIDTHS[2], WIDTHS[1]
    grown = KERNEL - 1
    size = shape.height // 2 - 1 - 2 * grown, shape.width // 2 - 1 - 2 * grown
    return [
        nn.Linear(shape.latent_dim, first * size[0] * size[1]),
        nn.ReLU(inplace=True),
        nn.Unflatten(1, (first, *size)),
        Growing(first, second, size),
        nn.BatchNorm2d(second),
        nn.ReLU(inplace=True),
        Growing(second, third, (size[0] + grown, size[1] + grown)),
        nn.BatchNorm2d(third),
        nn.ReLU(inplace=True),
        _initialised(nn.ConvTranspose2d(third, shape.channels, KERNEL, stride=2)),
    ]


def _initialised(last: nn.ConvTranspose2d) -> nn.ConvTranspose2d:
    """The layer with DCGAN's initialisation.

    torch's own puts some pixels deep into the flat ends of Tanh, where they stay: after 50 epochs,
    every zero of the sample data had a white dot.
    """
    nn.init.normal_(last.weight, std=INITIAL_DEVIATION)
    return last


def _maps(shape: AutoencoderShape) -> tuple[list[Size], list[int]]:
    """Size and channels of the image and of the map after each of the encoder's layers."""
    sizes, widths = [(shape.height, shape.width)], [shape.channels, *WIDTHS]
    while len(sizes) <= len(WIDTHS) or max(sizes[-1]) > SMALLEST_MAP:
        sizes.append(halved(sizes[-1]))
    return sizes, widths + [WIDTHS[-1]] * (len(sizes) - len(widths))


def default_latent_dim(channels: int) -> int:
    """The paper's 300 for gray images and 600 for colour (V-A.8)."""
    return 300 if channels == 1 else 600
