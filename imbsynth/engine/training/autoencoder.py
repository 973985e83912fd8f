"""The steps by which an autoencoder is trained."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from imbsynth.configs import TrainAeConfig
from imbsynth.core.batches import (
    ClassBatch,
    Indices,
    draw_batches,
    draw_class_batch,
    epochs_without_progress,
)
from imbsynth.core.losses import penalty_loss, recon_loss
from imbsynth.core.pixels import to_unit
from imbsynth.engine.reading import Labelled
from imbsynth.engine.training.loop import Training
from imbsynth.models.autoencoder import Autoencoder, Shape, default_latent_dim
from imbsynth.models.normalisation import estimate_statistics
from imbsynth.runtime import arithmetic, initialised, stream


class AutoencoderTraining(Training):
    """A run of `train-ae` (Dablain et al., 2022, Algorithm 1)."""

    losses = ("recon_loss", "penalty_loss")

    def __init__(
        self, config: TrainAeConfig, images: Labelled, device: torch.device, precision: str
    ) -> None:
        self.config = config
        channels, height, width = images.pixels.shape[1:]
        latent_dim = config.latent_dim or default_latent_dim(channels)
        shape = Shape(channels, height, width, latent_dim, config.decoder)
        self.model = initialised(lambda: Autoencoder(shape), config.seed)
        super().__init__(config, self.model, device, precision)
        self.pixels = images.on(device)
        self.classes = images.members()
        self.images = len(self.pixels)
        self.steps = len(self._order(0))

    @property
    def over(self) -> bool:
        """Whether all epochs are done or the loss has reached its plateau."""
        return super().over or self.on_plateau

    @property
    def on_plateau(self) -> bool:
        """Whether the total loss has made no progress for `patience` epochs."""
        weight = self.config.penalty_weight
        totals = [e["recon_loss"] + weight * e["penalty_loss"] for e in self.history]
        return 0 < self.config.patience <= epochs_without_progress(totals)

    def batches(self) -> Iterator[tuple[Indices, ClassBatch | None]]:
        """Image indices and, with a penalty, a batch of one class."""
        epoch = len(self.history)
        penalty = stream(self.config.seed, "train-ae", "penalty", epoch)
        for step, batch in enumerate(self._order(epoch)):
            drawn = None
            if self.config.penalty != "none":
                drawn = draw_class_batch(self.classes, len(batch), penalty)
            if step >= self.step:
                yield batch, drawn

    def _order(self, epoch: int) -> list[Indices]:
        rng = stream(self.config.seed, "train-ae", "order", epoch)
        return draw_batches(len(self.pixels), self.config.batch_size, rng)

    def compute(self, batch: tuple[Indices, ClassBatch | None]) -> tuple[Tensor, Tensor]:
        """T_L = R_L + weight * P_L.

        The gradient of both losses reaches encoder and decoder (all of theta, as printed).
        """
        chosen, drawn = batch
        networks = {"encode": self.model.encode, "decode": self.model.decode}
        with arithmetic(self.device, self.precision):
            recon = recon_loss(self._images(chosen), **networks)
            penalty = torch.zeros_like(recon)
            if drawn is not None:
                penalty = penalty_loss(
                    self._images(drawn.members),
                    torch.from_numpy(drawn.order).to(self.device),
                    aligned=self.config.penalty == "aligned",
                    **networks,
                )
            total = recon + self.config.penalty_weight * penalty
        return total, torch.stack([recon, penalty])

    def settle_statistics(self) -> None:
        """Estimate batch normalisation's statistics anew, over all training images."""
        order = stream(self.config.seed, "train-ae", "statistics")
        batches = draw_batches(len(self.pixels), self.config.batch_size, order)
        with arithmetic(self.device, self.precision):
            estimate_statistics(self.model, map(self._images, batches))

    def _images(self, indices: Indices) -> Tensor:
        chosen = torch.from_numpy(indices).to(self.pixels.device)
        return to_unit(self.pixels[chosen].to(self.device)).contiguous(
            memory_format=torch.channels_last
        )
