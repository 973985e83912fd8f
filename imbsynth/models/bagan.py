"""BAGAN: the encoder of an autoencoder becomes the discriminator, the decoder the generator."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from imbsynth.models.generators import (
    Adversarial,
    GeneratorShape,
    SmallAutoencoder,
    Turn,
    cross_entropy,
    frozen,
    squared_error,
)


class Bagan(Adversarial):
    """A balancing GAN (Mariani et al., "BAGAN: Data Augmentation with Balancing GAN", 2018).

    First an autoencoder is trained. A class is then a Gaussian: mean and covariance of the latent
    vectors of its images, and noise drawn from it is decoded. The encoder, with another last layer
    of C + 1 outputs, becomes the discriminator, which tells the C classes and "synthetic"; the
    decoder becomes the generator, which wants its images to be taken for their class. Departures:
    smaller networks, of any height and width, with normalisation instead of dropout; the last layer
    of the discriminator is trained on the encoder's features during the first stage, because random
    outputs would undo what the encoder has learned; both players take their steps at once.
    """

    losses = ("recon_loss", "discriminator_loss", "generator_loss")
    lr = 5e-5
    autoencoder: SmallAutoencoder
    means: Tensor  # (C, d)
    roots: Tensor  # (C, d, d), of the covariances

    def __init__(self, shape: GeneratorShape) -> None:
        super().__init__()
        classes = len(shape.counts)
        self.noise_dim = shape.latent_dim
        self.shares = (1 / classes,) * classes
        self.shown_per_image = 1 / classes  # "synthetic" is as frequent as the average class
        self.autoencoder = SmallAutoencoder(shape)
        self.head = nn.Linear(self.autoencoder.features, classes + 1)
        self.register_buffer("means", torch.zeros(classes, shape.latent_dim))
        self.register_buffer("roots", torch.zeros(classes, shape.latent_dim, shape.latent_dim))

    def pretrain(self, images: Tensor, labels: Tensor) -> Sequence[Tensor]:
        """The mean squared error of reconstructions, and the cross-entropy of the last layer."""
        features = self.autoencoder.trunk(images * 2 - 1)
        made = self.autoencoder.decode(self.autoencoder.latent(features))
        told = cross_entropy(self.head(features.detach()).float(), labels)
        return squared_error(made.float(), images), told, told.new_zeros(())

    def settle(self, classes: Sequence[Tensor]) -> None:
        """Fit the Gaussian of each class."""
        for label, latents in enumerate(classes):
            mean, root = gaussian(latents.double().cpu().numpy())
            self.means[label] = torch.from_numpy(mean)
            self.roots[label] = torch.from_numpy(root)

    def play(self, turn: Turn) -> Sequence[Tensor]:
        """-log p(class | real), with synthetic ones as class C + 1, and -log p(class | synthetic).

        Sparse cross-entropies over C + 1 outputs, as in the paper's section 3.
        """
        with torch.no_grad():
            shown = self.generate(*turn.shown)
        synthetic = torch.full_like(turn.shown[1], len(self.means))
        told = cross_entropy(
            torch.cat([self._tell(turn.images), self._tell(shown)]).float(),
            torch.cat([turn.labels, synthetic]),
        )
        trunk, head = frozen(self.autoencoder.trunk), frozen(self.head)
        taken = head(trunk(self.generate(*turn.learned) * 2 - 1)).float()
        return told.new_zeros(()), told, cross_entropy(taken, turn.learned[1])

    def generate(self, noise: Tensor, labels: Tensor) -> Tensor:
        """The decoded mean of the class plus the root of its covariance times the noise."""
        spread = torch.einsum("mde,me->md", self.roots[labels], noise)
        return self.autoencoder.decode(self.means[labels] + spread)

    def _tell(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.autoencoder.trunk(images * 2 - 1))
        return logits


def gaussian(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(n, d) -> (d,) mean and (d, d) symmetric root of the covariance.

    Where there are no more points than dimensions, the covariance is shrunk towards a multiple of
    the identity (Ledoit and Wolf, 2004): the paper's own would let images vary in n - 1 directions
    only. A single point has no covariance, and is all that is generated.
    """
    from sklearn.covariance import ledoit_wolf

    n, d = points.shape
    mean = points.mean(0)
    if n == 1:
        return mean, np.zeros((d, d))
    covariance = ledoit_wolf(points)[0] if n <= d else np.cov(points, rowvar=False).reshape(d, d)
    values, vectors = np.linalg.eigh(covariance)
    return mean, (vectors * np.sqrt(values.clip(0))) @ vectors.T
