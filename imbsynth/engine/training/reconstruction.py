"""How well a trained autoencoder reconstructs images, by what simpler ways of coding them reach."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch

from imbsynth.core.principal import component_losses
from imbsynth.engine.inference.autoencoder import TrainedAutoencoder
from imbsynth.runtime import stream
from imbsynth.store.row_files import PixelArray

MOST = 1000  # images that are looked at
POOR = 10  # times fewer numbers per image, with which principal components do as well


class Reconstruction(NamedTuple):
    """Mean squared errors over some training images, in units of the [0, 1] range."""

    loss: float  # of the autoencoder
    mean_image: float  # of the mean image for all
    principal: float  # of as many principal components as the latent vector has numbers
    components: int  # with so many, principal components do as well as the autoencoder
    poor: bool  # they are fewer than a tenth of the numbers of the latent vector

    def meta(self) -> dict[str, Any]:
        """For the header of a checkpoint."""
        return {"reconstruction": self._asdict()}

    def warning(self, latent_dim: int) -> str:
        """What to say if they are poor; latent_dim: numbers of the latent vector."""
        reach = f"{self.components} principal components reach"
        if self.components == 1:
            reach = "one principal component reaches"
        compared = (
            f"(the mean image's {self.mean_image:.4f}), which {reach} as well as the {latent_dim} "
            "numbers of the latent vector"
        )
        if self.components == 0:
            compared = f"and that of the mean image {self.mean_image:.4f}"
        return (
            f"poor reconstructions: their mean squared error is {self.loss:.4f} {compared}; "
            "train for more epochs, or on more images"
        )


def reconstruction_of(
    autoencoder: TrainedAutoencoder, pixels: PixelArray, seed: int
) -> Reconstruction:
    """Reconstruct up to `MOST` of the images, (n, c, h, w), drawn at random.

    Principal components are fitted to the same images, so that few images are told by few
    components: there are at most n - 1.
    """
    rows = stream(seed, "train-ae", "judged").permutation(len(pixels))[:MOST]
    shown = torch.from_numpy(pixels[np.sort(rows)])
    found = autoencoder.decode_unrounded(autoencoder.encode(shown))
    loss = float((found - shown / 255).square().mean())
    losses = component_losses((shown / 255).flatten(1).numpy())
    latent = min(autoencoder.model.shape.latent_dim, len(losses) - 1)
    components = int((losses > loss).sum())  # 0: the mean image does as well
    return Reconstruction(
        loss, float(losses[0]), float(losses[latent]), components, POOR * components < latent
    )
