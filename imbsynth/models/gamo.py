"""GAMO: a generator that chooses weights for the images of a class, and its two opponents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from imbsynth.models.generators import (
    Adversarial,
    GeneratorShape,
    SmallAutoencoder,
    Turn,
    frozen,
    squared_error,
)

NOISE_DIM = 100
MAPPED = (256, 64)  # outputs of the layers that all classes share
TELLING = (256, 128)  # hidden layers of discriminator and classifier
SLOPE = 0.1  # of their LeakyReLU
REAL, SYNTHETIC = 0.95, 0.05  # what the discriminator should say: the mean of the script's numbers
MOST_POINTS = 2000  # of a class that are combined
LEAST_SHARE = 0.1  # of what an empty class would lack


class Gamo(Adversarial):
    """Generative adversarial minority oversampling (Mullick, Datta and Das, ICCV 2019).

    A synthetic point is a convex combination of the points of its class: layers that all classes
    share map noise and class to 64 numbers, a last layer per class makes a weight of each image of
    the class out of them, by a softmax. The discriminator tells real from synthetic points, given
    the class; the classifier learns from both; the generator wants its points to be taken for real
    ones by the first and for another class by the second, so that they come where classes meet.
    Squared errors, as in the authors' script.

    Points are pixels for gray images, as in the paper's experiments on digits. For colour they are
    the latent vectors of an autoencoder that is trained first, and its decoder makes images of
    combinations (the paper trains a feature extractor with the classifier, and another network,
    GAMO2pix, to make images of features).

    Departures: the largest class has a generator too, so that it can be given synthetic images; of
    a class with more than 2,000 images the first 2,000 are combined, so that the network does not
    grow with the folder; all players take their steps at once, and the generator ten times as large
    ones, where the script updates it once per class for each step of its opponents.

    The shared layers are normalised over the batch, as in the script: with a normalisation of each
    row, the generator of every class of MNIST soon made a single image, whatever the noise.
    """

    lr = 2e-4
    speed = 10.0
    noise_dim = NOISE_DIM
    losses = ("recon_loss", "classifier_loss", "discriminator_loss", "generator_loss")
    shown_per_image = 1.0
    points: Tensor  # (sum of the classes' points, d)

    def __init__(self, shape: GeneratorShape) -> None:
        super().__init__()
        self.shape = shape
        classes, largest = len(shape.counts), max(shape.counts)
        lacking = [max(largest - n, LEAST_SHARE * largest) for n in shape.counts]
        self.shares = tuple(n / sum(lacking) for n in lacking)
        self.autoencoder = SmallAutoencoder(shape) if shape.channels > 1 else None
        size = shape.latent_dim if self.autoencoder is not None else shape.height * shape.width
        self.mapping = nn.Sequential(
            *_layer(NOISE_DIM + classes, MAPPED[0]), *_layer(MAPPED[0], MAPPED[1])
        )
        self.sizes = tuple(min(n, MOST_POINTS) for n in shape.counts)  # points per class
        self.weighing = nn.ModuleList(nn.Linear(MAPPED[1], n) for n in self.sizes)
        self.discriminator = _telling(size + classes, 1)
        self.classifier = _telling(size, classes)
        self.register_buffer("points", torch.zeros(sum(self.sizes), size))

    def fast(self) -> Iterable[nn.Parameter]:
        """Those of the generator."""
        return [*self.mapping.parameters(), *self.weighing.parameters()]

    def pretrain(self, images: Tensor, labels: Tensor) -> Sequence[Tensor]:
        """The mean squared error of reconstructions; the other weights stay as they are."""
        if self.autoencoder is None:
            raise ValueError("there is no autoencoder to train")
        loss = squared_error(self.autoencoder(images).float(), images)
        none = loss.new_zeros(())
        return loss, none, none, none

    def settle(self, classes: Sequence[Tensor]) -> None:
        """Keep the points that are combined."""
        kept = [points[:size] for points, size in zip(classes, self.sizes, strict=True)]
        self.points.copy_(torch.cat(kept))

    def play(self, turn: Turn) -> Sequence[Tensor]:
        """Squared errors of the three players (the script's form of the paper's equation 6)."""
        with torch.no_grad():
            real = self._points_of(turn.images)
            shown = self.combined(*turn.shown)
        points, labels = torch.cat([real, shown]), torch.cat([turn.labels, turn.shown[1]])
        told = self.classifier(points).float().softmax(1)
        classifier_loss = squared_error(told, self._one_hot(labels))
        wanted = torch.cat(
            [torch.full((len(real), 1), REAL), torch.full((len(shown), 1), SYNTHETIC)]
        ).to(points)
        believed = self._believed(self.discriminator, points, labels)
        discriminator_loss = squared_error(believed, wanted)
        made, labels = self.combined(*turn.learned), turn.learned[1]
        believed = self._believed(frozen(self.discriminator), made, labels)
        told = frozen(self.classifier)(made).float().softmax(1)
        generator_loss = squared_error(believed, torch.ones_like(believed))
        generator_loss = generator_loss + squared_error(told, 1 - self._one_hot(labels))
        return told.new_zeros(()), classifier_loss, discriminator_loss, generator_loss

    def generate(self, noise: Tensor, labels: Tensor) -> Tensor:
        """The images of convex combinations."""
        points = self.combined(noise, labels)
        if self.autoencoder is not None:
            return self.autoencoder.decode(points)
        return points.unflatten(1, (1, self.shape.height, self.shape.width))

    def combined(self, noise: Tensor, labels: Tensor) -> Tensor:
        """(m, noise_dim), (m,) -> (m, d): each a convex combination of points of its class."""
        mapped = self.mapping(torch.cat([noise, self._one_hot(labels)], 1))
        # Without rows too, gradients pass the normalisation: other processes wait for them there.
        made = noise.new_zeros(len(noise), self.points.shape[1]) + mapped[:0].sum()
        layers = zip(self.weighing, self.points.split(list(self.sizes)), strict=True)
        for label, (layer, points) in enumerate(layers):
            rows = (labels == label).nonzero()[:, 0]
            if len(rows):
                weights = layer(mapped[rows]).float().softmax(1)
                made = made.index_copy(0, rows, weights @ points)
        return made

    def _points_of(self, images: Tensor) -> Tensor:
        return images.flatten(1) if self.autoencoder is None else self.autoencoder.encode(images)

    def _believed(
        self, discriminator: Callable[[Tensor], Tensor], points: Tensor, labels: Tensor
    ) -> Tensor:
        """(m, 1): how much points are taken for real, given their class."""
        inputs = torch.cat([points, self._one_hot(labels)], 1)
        return discriminator(inputs).float().sigmoid()

    def _one_hot(self, labels: Tensor) -> Tensor:
        return functional.one_hot(labels, len(self.shape.counts)).float()


def _layer(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Linear(inputs, outputs), nn.ReLU(), nn.BatchNorm1d(outputs)]


def _telling(inputs: int, outputs: int) -> nn.Sequential:
    first, second = TELLING
    return nn.Sequential(
        *(nn.Linear(inputs, first), nn.LeakyReLU(SLOPE)),
        *(nn.Linear(first, second), nn.LeakyReLU(SLOPE)),
        nn.Linear(second, outputs),
    )
