"""`train-ae`: train DeepSMOTE's encoder and decoder (Dablain et al., 2022, Algorithm 1)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from imbsynth.configs import TrainAeConfig, check_size, parse_size
from imbsynth.core.batches import (
    ClassBatch,
    Indices,
    draw_batches,
    draw_class_batch,
    epochs_without_progress,
)
from imbsynth.core.losses import penalty_loss, recon_loss
from imbsynth.core.pixels import to_unit
from imbsynth.engine.autoencoders import KIND, Coder, autoencoder_checkpoint
from imbsynth.engine.events import Advanced, EpochDone, Note, OnEvent, Started, silent
from imbsynth.engine.reading import Labelled, read_labelled
from imbsynth.errors import UserError
from imbsynth.models.autoencoder import Autoencoder, Shape, default_latent_dim
from imbsynth.models.convolutions import channels_last
from imbsynth.models.normalisation import estimate_statistics
from imbsynth.runtime import (
    arithmetic,
    initialised,
    resolve_device,
    resolve_precision,
    stop_request,
    stream,
)
from imbsynth.store.checkpoints import Checkpoint
from imbsynth.store.records import provenance, read_lines
from imbsynth.store.sheets import MAX_ROWS, Row, write_sheet
from imbsynth.store.training_files import TrainingFiles

SAVE_EVERY = 60.0  # seconds between the states from which a run can go on
SHOW_EVERY = 0.5  # seconds between two looks at the losses, which on CUDA wait for the device
ON_SHEET = 8  # images a class on the reconstruction sheet
LOSSES = ("recon_loss", "penalty_loss")


@dataclass(frozen=True)
class Report:
    """What `train-ae` prints."""

    checkpoint: str
    epochs: int
    recon_loss: float  # mean squared error of the last epoch, in units of the [0, 1] range
    penalty_loss: float  # likewise; 0 without a penalty
    images_per_second: float  # images of reconstruction batches over the training loop alone
    stopped: str  # "plateau" or "epochs"
    log: str
    sheet: str


def run(config: TrainAeConfig, *, on_event: OnEvent = silent) -> Report:
    """Train an autoencoder on a folder of images and write its checkpoint, log and sheet."""
    files = TrainingFiles(config.out)
    with files.claimed(resume=config.resume, force=config.force):
        device = resolve_device(config.device)
        precision = resolve_precision(config.precision, device)
        images = read_labelled(
            config.src,
            size=parse_size(config.image_size),
            channels=None if config.channels == "auto" else int(config.channels),
            skip_unreadable=config.skip_unreadable,
            on_event=on_event,
        )
        _check_images(images)
        made_by = provenance(
            "train-ae",
            config,
            inputs={"src": images.digest},
            libraries=("numpy", "pillow", "torch"),
            resolved={"device": device.type, "precision": precision},
        )
        if config.resume and files.finished(made_by, KIND):
            on_event(Note(f"{config.out} is complete: nothing to do"))
            return _report(config, files)

        training = Training(config, images, device, precision)
        if config.resume:
            state = files.load_state(made_by)
            if state is not None:
                training.restore(state)
                on_event(Note(f"going on after {training.place}"))
        _train(training, files, made_by, on_event)
        training.settle_statistics()

        coder = Coder(training.model, device, precision, config.batch_size)
        files.write_log(training.history)
        files.write_sheet(lambda path: _write_sheet(path, images, coder))
        meta = {"made_by": made_by, "classes": images.classes}
        files.finish(autoencoder_checkpoint(training.model, meta))
    return _report(config, files)


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


class _Every:
    """Says when so many seconds have passed since it last said so."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.last = seconds, time.monotonic()

    def due(self) -> bool:
        if time.monotonic() - self.last < self.seconds:
            return False
        self.last = time.monotonic()
        return True


def _train(
    training: Training, files: TrainingFiles, made_by: dict[str, Any], on_event: OnEvent
) -> None:
    """Take steps until the run is over, saving the state now and then and when interrupted."""

    def save() -> None:
        training.check_finite()
        files.save_state(training.state(), made_by)

    epochs = training.config.epochs
    saving, showing = _Every(SAVE_EVERY), _Every(SHOW_EVERY)
    with stop_request() as request:
        on_event(Started("training", epochs * training.steps, "steps"))
        while not training.over:
            for batch, drawn in training.batches():
                training.take_step(batch, drawn)
                if showing.due():
                    on_event(_progress(training))
                if saving.due():
                    save()
                request.check(save)
            training.check_finite()
            line = training.end_epoch()
            losses = {name: line[name] for name in LOSSES}
            on_event(EpochDone(line["epoch"], epochs, losses, line["images_per_second"]))
    if training.on_plateau:
        on_event(Note(f"no progress for {training.config.patience} epochs: stopped"))


def _progress(training: Training) -> Advanced:
    losses = training.mean_losses()
    done = len(training.history) * training.steps + training.step
    detail = "  ".join(f"{name.removesuffix('_loss')} {losses[name]:.5f}" for name in LOSSES)
    return Advanced(done, f"epoch {len(training.history) + 1}  {detail}")


def _check_images(images: Labelled) -> None:
    check_size(images.pixels.shape[2:])
    if len(images.pixels) < 2:
        raise UserError("a single image: there is nothing to learn from", "add images")


def _write_sheet(path: Path, images: Labelled, coder: Coder) -> None:
    """Originals on the left, their reconstructions on the right, a row a class."""
    rows = []
    for name, members in zip(images.classes[:MAX_ROWS], images.members(), strict=False):
        originals = images.pixels[members[:ON_SHEET]]
        decoded = coder.decode(coder.encode(torch.from_numpy(originals))).numpy()
        rows.append(Row(name, [list(originals), list(decoded)]))
    write_sheet(path, rows, ["originals", "reconstructions"])


def _report(config: TrainAeConfig, files: TrainingFiles) -> Report:
    history = read_lines(files.log)
    last, seconds = history[-1], sum(line["seconds"] for line in history)
    images = sum(line["seconds"] * line["images_per_second"] for line in history)
    return Report(
        checkpoint=files.checkpoint.as_posix(),
        epochs=len(history),
        recon_loss=last["recon_loss"],
        penalty_loss=last["penalty_loss"],
        images_per_second=images / seconds,
        stopped="epochs" if len(history) >= config.epochs else "plateau",
        log=files.log.as_posix(),
        sheet=files.sheet.as_posix(),
    )
