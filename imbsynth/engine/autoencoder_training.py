"""The steps by which an autoencoder is trained, and the state to go on from."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

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
from imbsynth.errors import UserError
from imbsynth.models.autoencoder import Autoencoder, Shape, default_latent_dim
from imbsynth.models.convolutions import channels_last
from imbsynth.models.normalisation import estimate_statistics
from imbsynth.runtime import arithmetic, initialised, stream
from imbsynth.store.checkpoints import Checkpoint

LOSSES = ("recon_loss", "penalty_loss")


class Training:
    """The state of a run: everything that decides what the next step does."""

    def __init__(
        self, config: TrainAeConfig, images: Labelled, device: torch.device, precision: str
    ) -> None:
        self.config, self.device, self.precision = config, device, precision
        channels, height, width = images.pixels.shape[1:]
        latent_dim = config.latent_dim or default_latent_dim(channels)
        shape = Shape(channels, height, width, latent_dim)
        self.model = initialised(lambda: Autoencoder(shape), config.seed)
        channels_last(self.model.to(device))
        self.optimiser = torch.optim.Adam(self.model.parameters(), config.lr, fused=True)
        self.pixels = images.on(device)
        self.classes = images.members()
        self.history: list[dict[str, Any]] = []
        self.step = 0  # steps done in the present epoch
        self.sums = torch.zeros(2, dtype=torch.float64, device=device)  # of both losses
        self.seconds = 0.0  # spent in the present epoch
        self.mark = 0.0  # when `seconds` was last brought up to date

    @property
    def steps(self) -> int:
        """Steps an epoch."""
        return -(-len(self.pixels) // self.config.batch_size)

    @property
    def place(self) -> str:
        """How far the run is, in words."""
        return f"{len(self.history)} epochs and {self.step} of {self.steps} steps"

    @property
    def over(self) -> bool:
        """Whether all epochs are done or the loss has reached its plateau."""
        return len(self.history) >= self.config.epochs or self.on_plateau

    @property
    def on_plateau(self) -> bool:
        """Whether the total loss has made no progress for `patience` epochs."""
        weight = self.config.penalty_weight
        totals = [e["recon_loss"] + weight * e["penalty_loss"] for e in self.history]
        return 0 < self.config.patience <= epochs_without_progress(totals)

    def batches(self) -> Iterator[tuple[Indices, ClassBatch | None]]:
        """What is left of the present epoch; the same whether or not it was interrupted."""
        epoch, self.mark = len(self.history), time.perf_counter()
        order = stream(self.config.seed, "train-ae", "order", epoch)
        penalty = stream(self.config.seed, "train-ae", "penalty", epoch)
        for step, batch in enumerate(draw_batches(len(self.pixels), self.config.batch_size, order)):
            drawn = None
            if self.config.penalty != "none":
                drawn = draw_class_batch(self.classes, len(batch), penalty)
            if step >= self.step:
                yield batch, drawn

    def take_step(self, batch: Indices, drawn: ClassBatch | None) -> None:
        """T_L = R_L + weight * P_L, and one step of Adam against its gradient.

        The gradient of both losses reaches encoder and decoder (all of theta, as printed).
        """
        networks = {"encode": self.model.encode, "decode": self.model.decode}
        with arithmetic(self.device, self.precision):
            recon = recon_loss(self._images(batch), **networks)
            penalty = torch.zeros_like(recon)
            if drawn is not None:
                penalty = penalty_loss(
                    self._images(drawn.members),
                    torch.from_numpy(drawn.order).to(self.device),
                    aligned=self.config.penalty == "aligned",
                    **networks,
                )
            total = recon + self.config.penalty_weight * penalty
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        self.optimiser.step()
        self.sums += torch.stack([recon.detach(), penalty.detach()])
        self.step += 1
        self._tick()

    def mean_losses(self) -> dict[str, float]:
        """Both losses, over the present epoch so far."""
        return dict(zip(LOSSES, (self.sums / max(self.step, 1)).tolist(), strict=True))

    def check_finite(self) -> None:
        """Raise UserError if a loss of this epoch has left the range of numbers."""
        if not self.sums.isfinite().all():
            raise UserError(
                f"the loss is no longer a number in epoch {len(self.history) + 1}",
                f"lower --lr (it is {self.config.lr:g}); nothing of this epoch was saved",
            )

    def end_epoch(self) -> dict[str, Any]:
        """Close the present epoch and return its line of the log."""
        losses = self.mean_losses()
        self._tick()
        rate = len(self.pixels) / self.seconds
        self.history.append(
            {
                "epoch": len(self.history) + 1,
                **losses,
                "seconds": self.seconds,
                "images_per_second": rate,
            }
        )
        self.step, self.seconds = 0, 0.0
        self.sums.zero_()
        return self.history[-1]

    def _tick(self) -> None:
        now = time.perf_counter()
        self.seconds += now - self.mark
        self.mark = now

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

    def state(self) -> Checkpoint:
        """Everything needed to go on exactly; the random streams need only epoch and step."""
        tensors = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        for index, moments in self.optimiser.state_dict()["state"].items():
            tensors |= {f"adam.{index}.{name}": value for name, value in moments.items()}
        tensors["sums"] = self.sums
        return Checkpoint(
            tensors, {"step": self.step, "seconds": self.seconds, "history": self.history}
        )

    def restore(self, state: Checkpoint) -> None:
        """Go back to a state, memory layouts included: another layout may round otherwise."""
        self.history, self.step = state.meta["history"], state.meta["step"]
        self.seconds = state.meta["seconds"]
        self.sums.copy_(state.tensors["sums"])
        own = self.model.state_dict()
        for name, value in own.items():
            value.copy_(state.tensors[f"model.{name}"])
        for index, weight in enumerate(self.model.parameters()):
            moments = {
                "step": state.tensors[f"adam.{index}.step"].to(self.device).clone(),
                "exp_avg": torch.empty_like(weight, requires_grad=False),
                "exp_avg_sq": torch.empty_like(weight, requires_grad=False),
            }
            for name in ("exp_avg", "exp_avg_sq"):
                moments[name].copy_(state.tensors[f"adam.{index}.{name}"])
            self.optimiser.state[weight] = moments
