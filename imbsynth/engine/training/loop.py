"""What every training run has: steps, sums, a clock, a state to go on from, and the loop."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from imbsynth.configs import AosTrainConfig, TrainAeConfig
from imbsynth.engine.events import Advanced, EpochDone, Note, OnEvent, Started
from imbsynth.engine.training.history import check_lines, is_number
from imbsynth.errors import UserError
from imbsynth.models.fast.convolutions import channels_last
from imbsynth.runtime import stop_request
from imbsynth.store.checkpoints import Checkpoint
from imbsynth.store.training_files import TrainingFiles

SAVE_EVERY = 60.0  # seconds between the states from which a run can go on
SHOW_EVERY = 0.5  # seconds between two looks at the losses, which on CUDA wait for the device


class Training(ABC):
    """The state of a run: everything that decides what the next step does."""

    losses: tuple[str, ...]  # the names of what is summed
    images: int  # an epoch
    steps: int  # an epoch

    def __init__(
        self,
        config: TrainAeConfig | AosTrainConfig,
        model: nn.Module,
        device: torch.device,
        precision: str,
    ) -> None:
        self.settings, self.device, self.precision = config, device, precision
        channels_last(model.to(device))
        self.weights = model
        self.optimiser = torch.optim.Adam(model.parameters(), config.lr, fused=True)
        self.history: list[dict[str, Any]] = []
        self.step = 0  # steps done in the present epoch
        self.sums = torch.zeros(len(self.losses), dtype=torch.float64, device=device)
        self.seconds = 0.0  # spent in the present epoch
        self.mark = 0.0  # when `seconds` was last brought up to date

    @abstractmethod
    def batches(self) -> Iterator[Any]:
        """What is left of the present epoch; the same whether or not it was interrupted."""

    @abstractmethod
    def compute(self, batch: Any) -> tuple[Tensor, Tensor]:
        """The loss to descend, a scalar, and what to sum: one value for each of `losses`."""

    @property
    def place(self) -> str:
        """How far the run is, in words."""
        return f"{len(self.history)} epochs and {self.step} of {self.steps} steps"

    @property
    def over(self) -> bool:
        """Whether no epoch is left."""
        return len(self.history) >= self.settings.epochs

    def take_step(self, batch: Any) -> None:
        """One step of Adam."""
        total, parts = self.compute(batch)
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        self.optimiser.step()
        self.sums += parts.detach()
        self.step += 1
        self.tick()

    def mean_losses(self) -> dict[str, float]:
        """The losses, over the present epoch so far."""
        return dict(zip(self.losses, (self.sums / max(self.step, 1)).tolist(), strict=True))

    @property
    def finite(self) -> bool:
        """Whether the losses of this epoch, the weights and Adam's moments are all numbers."""
        return all(value.isfinite().all() for value in self.state().tensors.values())

    def end_epoch(self) -> dict[str, Any]:
        """Close the present epoch and return its line of the log."""
        losses = self.mean_losses()
        self.tick()
        self.history.append(
            {
                "epoch": len(self.history) + 1,
                **losses,
                "seconds": self.seconds,
                "images_per_second": self.images / self.seconds,
            }
        )
        self.step, self.seconds = 0, 0.0
        self.sums.zero_()
        return self.history[-1]

    def start_clock(self) -> None:
        """Time runs from here."""
        self.mark = time.perf_counter()

    def tick(self) -> None:
        """Count the time since the last look to the present epoch."""
        now = time.perf_counter()
        self.seconds += now - self.mark
        self.mark = now

    def state(self) -> Checkpoint:
        """Everything needed to go on exactly; the random streams need only epoch and step."""
        tensors = {f"model.{name}": value for name, value in self.weights.state_dict().items()}
        for index, moments in self.optimiser.state_dict()["state"].items():
            tensors |= {f"adam.{index}.{name}": value for name, value in moments.items()}
        tensors["sums"] = self.sums
        return Checkpoint(
            tensors, {"step": self.step, "seconds": self.seconds, "history": self.history}
        )

    def check_history(self, history: Any, step: Any, seconds: Any) -> None:
        """Raise ValueError unless these can be those of a run of this kind."""
        if type(step) is not int or not 0 <= step <= self.steps or not is_number(seconds):
            raise ValueError("its place in the run is none")
        check_lines(history, self.losses)

    def restore(self, state: Checkpoint) -> None:
        """Go back to a state, memory layouts included: another layout may round otherwise."""
        self.check_history(*(state.meta[name] for name in ("history", "step", "seconds")))
        self.history, self.step = state.meta["history"], state.meta["step"]
        self.seconds = state.meta["seconds"]
        self.sums.copy_(state.tensors["sums"])
        self.put_weights(state.tensors, "model.")
        for index, weight in enumerate(self.weights.parameters()):
            moments = {
                "step": state.tensors[f"adam.{index}.step"].to(self.device).clone(),
                "exp_avg": torch.empty_like(weight, requires_grad=False),
                "exp_avg_sq": torch.empty_like(weight, requires_grad=False),
            }
            for name in ("exp_avg", "exp_avg_sq"):
                moments[name].copy_(state.tensors[f"adam.{index}.{name}"])
            self.optimiser.state[weight] = moments

    def put_weights(self, tensors: dict[str, Tensor], prefix: str) -> None:
        """Copy the tensors whose names begin with `prefix` into the model."""
        for name, value in self.weights.state_dict().items():
            value.copy_(tensors[prefix + name])


def _restore_from(training: Training, state: Checkpoint, path: Path) -> None:
    """`Training.restore`; UserError if the state, read from `path`, does not fit."""
    try:
        training.restore(state)
        if not training.finite:
            raise ValueError("numbers out of range in its tensors")
    except (LookupError, TypeError, ValueError, RuntimeError) as error:
        raise UserError(
            f"{path}: the state of the run is damaged ({str(error).splitlines()[0]})",
            "start again with --force",
        ) from None


class _Every:
    """Says when so many seconds have passed since it last said so."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.last = seconds, time.monotonic()

    def due(self) -> bool:
        if time.monotonic() - self.last < self.seconds:
            return False
        self.last = time.monotonic()
        return True


def train(
    training: Training, files: TrainingFiles, made_by: dict[str, Any], on_event: OnEvent
) -> None:
    """Take steps until the run is over, saving the state now and then and when interrupted.

    Goes on from a saved state where the settings say so, and leaves the last state and the log.
    A run whose numbers leave their range ends with the state of its last whole epoch saved.
    """
    state = files.load_state(made_by) if training.settings.resume else None
    if state is not None:
        _restore_from(training, state, files.state)
        on_event(Note(f"going on after {training.place}"))
    good = _copied(training.state()) if training.history else None

    def check() -> None:
        if not training.finite:
            if good is not None:
                files.save_state(good, made_by)
            raise _diverged(training, kept=good is not None)

    def save() -> None:
        check()
        files.save_state(training.state(), made_by)

    epochs = training.settings.epochs
    saving, showing = _Every(SAVE_EVERY), _Every(SHOW_EVERY)
    with stop_request() as request:
        on_event(Started("training", epochs * training.steps, "steps"))
        while not training.over:
            training.start_clock()
            for batch in training.batches():
                training.take_step(batch)
                if showing.due():
                    on_event(_progress(training))
                if saving.due():
                    save()
                request.check(save)
            check()
            line = training.end_epoch()
            good = _copied(training.state())
            losses = {name: line[name] for name in training.losses}
            on_event(EpochDone(line["epoch"], epochs, losses, line["images_per_second"]))
    files.save_state(training.state(), made_by)  # so that nothing after this can lose the run


def _copied(state: Checkpoint) -> Checkpoint:
    """The state as it is now, in the computer's memory."""
    tensors = {name: value.detach().cpu().clone() for name, value in state.tensors.items()}
    return Checkpoint(tensors, {**state.meta, "history": list(state.meta["history"])})


def _diverged(training: Training, *, kept: bool) -> UserError:
    epochs = len(training.history)
    return UserError(
        f"the loss is no longer a number in epoch {epochs + 1}"
        + (f"; the state after epoch {epochs} is kept" if kept else ""),
        f"lower --lr (it is {training.settings.lr:g})"
        + (" and start with --force" if kept else ""),
    )


def _progress(training: Training) -> Advanced:
    losses = training.mean_losses()
    done = len(training.history) * training.steps + training.step
    parts = [f"{name.removesuffix('_loss')} {value:.5f}" for name, value in losses.items()]
    return Advanced(done, "  ".join([f"epoch {len(training.history) + 1}", *parts]))
