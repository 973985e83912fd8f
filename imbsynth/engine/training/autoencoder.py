"""How an autoencoder is trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from imbsynth.configs import TrainAeConfig
from imbsynth.core.autoencoder_losses import penalty_loss, recon_loss
from imbsynth.core.batches import (
    ClassBatch,
    Indices,
    draw_batches,
    draw_class_batch,
    epochs_without_progress,
)
from imbsynth.core.optimisers import adam
from imbsynth.core.pixels import fetched_ahead, network_input
from imbsynth.core.tables import AUTOENCODER_LOSSES
from imbsynth.engine.reading import Labelled
from imbsynth.engine.training.memory import Step
from imbsynth.engine.training.optimisation import Optimisation
from imbsynth.engine.training.shares import normalised_together
from imbsynth.engine.training.states import Place
from imbsynth.engine.training.task import History, Task
from imbsynth.engine.training.trainer import Trainer
from imbsynth.models.autoencoder import Autoencoder, AutoencoderShape, default_latent_dim
from imbsynth.models.fast.convolutions import channels_last
from imbsynth.models.normalisation import estimate_statistics
from imbsynth.runtime import arithmetic, current_world, initialised, stream

# Images and, with a penalty, a batch of one class.
AutoencoderBatch = tuple[Indices, ClassBatch | None]

LOSSES = ("recon_loss", "penalty_loss")  # of every epoch


def autoencoder_trainer(
    config: TrainAeConfig, images: Labelled, device: torch.device, precision: str
) -> Trainer[AutoencoderTask]:
    """A run of `train-ae`, at its start."""
    task = AutoencoderTask(config, images, device, precision)
    optimisation = Optimisation(
        task.model.parameters(),
        lambda weights: adam(weights, lr=config.lr),
        config.lr,
        world=task.world,
    )
    return Trainer(task, optimisation, config.epochs, device)


def autoencoder_step(config: TrainAeConfig, size: Sequence[int]) -> Step:
    """A step of such a run on images of (c, h, w), for an estimate of its memory."""
    return Step(
        lambda: Autoencoder(shape_of(config, size)),
        size,
        config.batch_size,
        passes=1 if config.penalty == "none" else 2,
    )


def shape_of(config: TrainAeConfig, size: Sequence[int]) -> AutoencoderShape:
    """What an autoencoder is built for, given (c, h, w)."""
    channels, height, width = size
    latent_dim = config.latent_dim or default_latent_dim(channels)
    overshoots = AUTOENCODER_LOSSES[config.loss].censored
    return AutoencoderShape(channels, height, width, latent_dim, config.decoder, overshoots)


class AutoencoderTask(Task[AutoencoderBatch]):
    """Reconstruct images, and those of one class in another order (Dablain et al., 2022)."""

    losses, numbers = LOSSES, ()
    model: Autoencoder

    def __init__(
        self, config: TrainAeConfig, images: Labelled, device: torch.device, precision: str
    ) -> None:
        self.config, self.device, self.precision = config, device, precision
        self.world = current_world()
        self.error = AUTOENCODER_LOSSES[config.loss].load()
        shape = shape_of(config, images.pixels.shape[1:])
        self.model = initialised(lambda: Autoencoder(shape), config.seed)
        channels_last(self.model.to(device))
        self.pixels = images.on(device)
        self.classes = images.members()
        self.images = len(self.pixels)
        self.steps = len(self._order(0))

    def is_over(self, history: History) -> bool:
        """Whether the total loss has made no progress for `patience` epochs."""
        weight = self.config.penalty_weight
        totals = [line["recon_loss"] + weight * line["penalty_loss"] for line in history]
        return 0 < self.config.patience <= epochs_without_progress(totals)

    def batches(self, place: Place) -> Iterator[AutoencoderBatch]:
        """Batches of all images, each with a batch of one class where there is a penalty."""
        yield from fetched_ahead(self.pixels, self._drawn(place), _images_of)

    def _drawn(self, place: Place) -> Iterator[AutoencoderBatch]:
        penalty = stream(self.config.seed, "train-ae", "penalty", place.epoch)
        for step, batch in enumerate(self._order(place.epoch)):
            drawn = None
            if self.config.penalty != "none":
                drawn = draw_class_batch(self.classes, len(batch), penalty)
            if step >= place.step:
                yield batch, drawn

    def _order(self, epoch: int) -> list[Indices]:
        rng = stream(self.config.seed, "train-ae", "order", epoch)
        return draw_batches(len(self.pixels), self.config.batch_size, rng)

    def compute(self, batch: AutoencoderBatch, _place: Place) -> tuple[Tensor, Tensor]:
        """T_L = R_L + weight * P_L (Dablain et al., 2022, Algorithm 1).

        The gradient of both losses reaches encoder and decoder (all of theta, as printed).
        """
        chosen, drawn = batch
        mine = self.world.share(len(chosen))
        networks = {"encode": self.model.encode, "decode": self.model.decode}
        with arithmetic(self.device, self.precision), normalised_together(self.world):
            recon = recon_loss(self._images(chosen[mine]), **networks, error=self.error)
            penalty = torch.zeros_like(recon)
            if drawn is not None:
                penalty = self._penalty(drawn, mine)
            part = len(chosen[mine]) / len(chosen)
            recon, penalty = part * recon, part * penalty
            total = recon + self.config.penalty_weight * penalty
        return total, torch.stack([recon, penalty])

    def _penalty(self, drawn: ClassBatch, mine: slice) -> Tensor:
        """Of the places `mine`: the images that are put there are encoded, in their old order."""
        put = drawn.order[mine]
        encoded = np.sort(put)
        return penalty_loss(
            self._images(drawn.members[encoded]),
            torch.from_numpy(np.searchsorted(encoded, put)).to(self.device),
            aligned=self.config.penalty == "aligned",
            encode=self.model.encode,
            decode=self.model.decode,
            originals=self._images(drawn.members[mine]),
            error=self.error,
        )

    def recompute_statistics(self) -> None:
        """Estimate batch normalisation's statistics anew, over all training images."""
        order = stream(self.config.seed, "train-ae", "statistics")
        batches = draw_batches(len(self.pixels), self.config.batch_size, order)
        shares = (batch[self.world.share(len(batch))] for batch in batches)
        with arithmetic(self.device, self.precision), normalised_together(self.world):
            estimate_statistics(self.model, map(self._images, shares))

    def _images(self, indices: Indices) -> Tensor:
        chosen = torch.from_numpy(indices).to(self.pixels.device)
        return network_input(self.pixels[chosen], self.device)


def _images_of(batch: AutoencoderBatch) -> Indices:
    chosen, drawn = batch
    return chosen if drawn is None else np.concatenate([chosen, drawn.members])
