"""What generators of images of a class have in common: an interface, an encoder and a decoder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from imbsynth.models.autoencoder import INITIAL_DEVIATION, NEGATIVE_SLOPE, SMALLEST_MAP
from imbsynth.models.fast.convolutions import Doubling, Halving, halved
from imbsynth.models.fast.filtering import Size

WIDTHS = (32, 64, 128)  # channels per layer; further layers have the last


class GeneratorShape(NamedTuple):
    """The images that a generator is built for."""

    channels: int  # 1 or 3
    height: int  # pixels
    width: int  # pixels
    latent_dim: int  # of an autoencoder
    counts: tuple[int, ...]  # training images per class
    network: str = "small"  # a name of `unet.NETWORKS`, for a flow


class Turn(NamedTuple):
    """What the players of an adversarial training are shown in one step."""

    images: Tensor  # (n, c, h, w) real ones in [0, 1]
    labels: Tensor  # (n,) int64
    # For the synthetic images that the discriminator is shown, and for those that the generator
    # learns from: noise (m, noise_dim) and labels (m,).
    shown: tuple[Tensor, Tensor]
    learned: tuple[Tensor, Tensor]


class Generator(nn.Module, ABC):
    """A network that turns noise and a class into an image."""

    losses: tuple[str, ...]  # names of what it is trained on
    noise_dim: int
    lr: float  # of Adam

    @abstractmethod
    def generate(self, noise: Tensor, labels: Tensor) -> Tensor:
        """(m, noise_dim) standard normal noise, (m,) classes -> (m, c, h, w) images in [0, 1]."""


class Adversarial(Generator):
    """A generator, and the networks that it is trained against.

    A training has two stages: an autoencoder is trained, if there is one, then `settle` is called,
    and then the players are trained, each on a loss of its own. All take their steps at once, from
    the same weights, where the papers let the discriminator go first: so a step is one sum of
    losses. A loss reaches the weights of its own player alone (`frozen`).

    Every loss is a mean, and 0 without images: in the first stage over the real ones; in the second
    over the synthetic ones that the generator learns from, for the last loss, and over the real
    ones and those that are shown, for the losses between the first and the last.
    """

    # "recon_loss" is the first of `losses`, and `lr` is as the authors have it.
    speed = 1.0  # by which the learning rate of the weights of `fast` is multiplied
    shares: tuple[float, ...]  # of each class among the images that the discriminator is shown
    shown_per_image: float  # synthetic images for each real one
    autoencoder: SmallAutoencoder | None

    def fast(self) -> Iterable[nn.Parameter]:
        """The weights that learn faster than the others."""
        return ()

    @abstractmethod
    def pretrain(self, images: Tensor, labels: Tensor) -> Sequence[Tensor]:
        """A value for each of `losses`, in the first stage.

        What learns in the second stage alone gets no gradient, not one of 0: Adam corrects its
        means by the number of steps, and after many steps of 0 the first real ones would be large.
        """

    @abstractmethod
    def settle(self, classes: Sequence[Tensor]) -> None:
        """Keep what is needed of the training images' points, (n_k, d) of each class.

        Points are latent vectors, or images flattened where there is no autoencoder.
        """

    @abstractmethod
    def play(self, turn: Turn) -> Sequence[Tensor]:
        """A value for each of `losses`, in the second stage."""


class SmallAutoencoder(nn.Module):
    """A small convolutional encoder and its mirror.

    Every layer halves the map and normalises each image on its own: a discriminator that began as
    this encoder sees real and synthetic images apart, and what is generated does not depend on the
    batch. (BAGAN's own network has dropout instead.)
    """

    def __init__(self, shape: GeneratorShape) -> None:
        super().__init__()
        sizes, widths = maps(shape)
        area = sizes[-1][0] * sizes[-1][1]
        self.features = widths[-1] * area
        down: list[nn.Module] = []
        for i, size in enumerate(sizes[:-1]):
            down += [Halving(widths[i], widths[i + 1], size), nn.GroupNorm(1, widths[i + 1])]
            down += [nn.LeakyReLU(NEGATIVE_SLOPE)]
        self.trunk = nn.Sequential(*down, nn.Flatten())
        self.latent = nn.Linear(self.features, shape.latent_dim)
        up: list[nn.Module] = [
            nn.Linear(shape.latent_dim, self.features),
            nn.Unflatten(1, (widths[-1], *sizes[-1])),
        ]
        for i in range(len(sizes) - 1, 0, -1):
            up += [nn.GroupNorm(1, widths[i]), nn.ReLU()]
            up += [Doubling(widths[i], widths[i - 1], sizes[i - 1], bias=i == 1)]
        self.decoder = nn.Sequential(*up, nn.Tanh())
        nn.init.normal_(up[-1].weight, std=INITIAL_DEVIATION)  # type: ignore[arg-type]

    def encode(self, images: Tensor) -> Tensor:
        """(n, c, h, w) images in [0, 1] -> (n, d) latent vectors."""
        latents: Tensor = self.latent(self.trunk(images * 2 - 1))
        return latents

    def decode(self, latents: Tensor) -> Tensor:
        """(n, d) latent vectors -> (n, c, h, w) images in [0, 1]."""
        return (self.decoder(latents) + 1) / 2

    def forward(self, images: Tensor) -> Tensor:
        """(n, c, h, w) images in [0, 1] -> their reconstructions."""
        return self.decode(self.encode(images))


def squared_error(found: Tensor, wanted: Tensor) -> Tensor:
    """The mean squared error of (n, ...) outputs; 0 for n = 0, where a mean would be no number."""
    return functional.mse_loss(found, wanted, reduction="mean" if len(found) else "sum")


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """The mean over (n, k) logits of n labels; 0 for n = 0."""
    return functional.cross_entropy(logits, labels, reduction="mean" if len(logits) else "sum")


def maps(shape: GeneratorShape) -> tuple[list[Size], list[int]]:
    """Size and channels of the image and of the map after each layer of the encoder."""
    sizes, widths = [(shape.height, shape.width)], [shape.channels, *WIDTHS]
    while len(sizes) <= len(WIDTHS) or max(sizes[-1]) > SMALLEST_MAP:
        sizes.append(halved(sizes[-1]))
    return sizes, widths + [WIDTHS[-1]] * (len(sizes) - len(widths))


def frozen(network: nn.Module) -> Callable[..., Tensor]:
    """The network as a function that passes gradients on to its inputs, not to its weights."""
    weights = {name: weight.detach() for name, weight in network.named_parameters()}

    def call(*inputs: Tensor) -> Tensor:
        outputs: Tensor = functional_call(network, weights, inputs)
        return outputs

    return call
