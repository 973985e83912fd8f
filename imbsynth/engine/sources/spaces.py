"""Where a sampler works: on pixels, or in an autoencoder's latent space."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbsynth.core.pixels import to_bytes, to_unit
from imbsynth.core.samplers import interpolate
from imbsynth.engine.events import Advanced, OnEvent, Started
from imbsynth.engine.inference.autoencoder import TrainedAutoencoder
from imbsynth.engine.reading import Labelled


class Space(Protocol):
    """Where a sampler works: points in, images out."""

    name: str
    device: torch.device
    precision: str
    batch_size: int  # images computed at once

    def points(self, members: NDArray[np.int64]) -> Tensor:
        """(n, ...) points of the images with these indices."""

    def images(self, base: NDArray[np.int64], neighbor: NDArray[np.int64], lam: Tensor) -> Tensor:
        """(m, c, h, w) uint8 of the points between those of the images base and neighbor."""


class Pixels:
    """The identity: a point is an image."""

    name, precision = "pixel", "fp32"

    def __init__(self, images: Labelled, device: torch.device, batch_size: int) -> None:
        self.device, self.batch_size = device, batch_size
        self.pixels = images.on(device)

    def points(self, members: NDArray[np.int64]) -> Tensor:
        return self.pixels[torch.from_numpy(members).to(self.pixels.device)].to(self.device)

    def images(self, base: NDArray[np.int64], neighbor: NDArray[np.int64], lam: Tensor) -> Tensor:
        start, end = to_unit(self.points(base)), to_unit(self.points(neighbor))
        return to_bytes(interpolate(start, end, lam)).cpu()


class Latents:
    """An autoencoder's latent space (Dablain et al., 2022, Algorithm 1, "Generate Samples")."""

    name = "latent"

    def __init__(
        self, coder: TrainedAutoencoder, images: Labelled, added: dict[str, int], on_event: OnEvent
    ) -> None:
        self.coder, self.batch_size = coder, coder.batch_size
        self.device, self.precision = coder.device, coder.precision
        pixels = torch.from_numpy(images.pixels)
        growing = [label for label, name in enumerate(images.classes) if added[name]]
        needed = torch.from_numpy(np.flatnonzero(np.isin(images.labels, growing)))
        # A row an image; the rows of classes that do not grow are never touched, so cost nothing.
        self.latents = torch.empty(len(pixels), coder.model.shape.latent_dim)
        on_event(Started("encoding", len(needed)))
        for done, rows in enumerate(needed.split(coder.batch_size)):
            self.latents[rows] = coder.encode(pixels[rows])
            on_event(Advanced(done * coder.batch_size + len(rows)))

    def points(self, members: NDArray[np.int64]) -> Tensor:
        return self.latents[torch.from_numpy(members)].to(self.device)

    def images(self, base: NDArray[np.int64], neighbor: NDArray[np.int64], lam: Tensor) -> Tensor:
        return self.coder.decode(interpolate(self.points(base), self.points(neighbor), lam))
