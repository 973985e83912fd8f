"""A run in progress: a task, its optimisation, and how far they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import torch
from torch import Tensor

from imbsynth.engine.training.clock import Clock
from imbsynth.engine.training.history import is_number, problem_of
from imbsynth.engine.training.optimisation import Optimisation
from imbsynth.engine.training.run_state import (
    check_format,
    damaged,
    finite,
    read_states,
    to_checkpoint,
)
from imbsynth.engine.training.states import Place, Stateful, Weights
from imbsynth.engine.training.task import History, Task
from imbsynth.models.normalisation import statistics_kept
from imbsynth.store.checkpoints import Checkpoint

OneTask = TypeVar("OneTask", bound=Task[Any])


class Trainer(Generic[OneTask]):
    """Takes steps and closes epochs; its state is everything that decides what comes next."""

    def __init__(
        self, task: OneTask, optimisation: Optimisation, epochs: int, device: torch.device
    ) -> None:
        self.task, self.optimisation, self.epochs = task, optimisation, epochs
        self.history: list[dict[str, Any]] = []
        self.step = 0  # steps done in the present epoch
        self.sums = torch.zeros(len(task.losses), dtype=torch.float64, device=device)
        self.clock = Clock()  # of the present epoch

    @property
    def place(self) -> Place:
        """How far the run is."""
        return Place(len(self.history), self.step, self.epochs, self.task.steps)

    @property
    def over(self) -> bool:
        """Whether no epoch is left."""
        return len(self.history) >= self.epochs or self.task.is_over(self.history)

    def batches(self) -> Iterator[Any]:
        """What is left of the present epoch."""
        return self.task.batches(self.place)

    def take_step(self, batch: Any) -> None:
        """One step of the optimiser."""
        place = self.place
        total, losses = self.task.compute(batch, place)

        def again() -> Tensor:
            with statistics_kept(self.task.model):
                return self.task.compute(batch, place)[0]

        self.optimisation.step(total, place.progress, again)
        self.task.end_step(place)
        self.sums += self.task.world.sum(losses.detach())
        self.step += 1
        self.clock.tick()

    def mean_losses(self) -> dict[str, float]:
        """The losses, over the present epoch so far."""
        means = (self.sums / max(self.step, 1)).tolist()
        return dict(zip(self.task.losses, means, strict=True))

    def end_epoch(self) -> dict[str, Any]:
        """Close the present epoch and return its line of the log."""
        losses = self.mean_losses()
        self.clock.tick()
        seconds = self.clock.seconds
        self.history.append(
            {
                "epoch": len(self.history) + 1,
                **losses,
                "seconds": seconds,
                "images_per_second": self.task.images / seconds,
            }
        )
        self.step, self.clock.seconds = 0, 0.0
        self.sums.zero_()
        self.task.end_epoch(self.history)
        return self.history[-1]

    @property
    def finite(self) -> bool:
        """Whether the losses of this epoch and the state of every part are finite."""
        return finite(self._states())

    @property
    def validated(self) -> bool:
        """Whether the last complete epoch has all its scores: outputs that overflow give none."""
        return all(is_number(self.history[-1][name]) for name in self.task.numbers)

    @property
    def state_bytes(self) -> int:
        """Size of the tensors of a state, from the end of the first epoch on."""
        later = Place(1, 0, self.epochs, self.task.steps)
        templates = (part.template(later) for part in self._parts().values())
        return sum(value.nbytes for tensors in templates for value in tensors.values())

    def state(self) -> Checkpoint:
        """Everything needed to resume exactly; the random streams need only epoch and step."""
        meta = {"step": self.step, "seconds": self.clock.seconds, "history": self.history}
        return to_checkpoint(self._states(), meta)

    def restore(self, path: Path, state: Checkpoint) -> None:
        """Return to a state that was read from `path`; UserError if it is of no such run."""
        check_format(path, state)
        step, seconds, history = self._checked(path, state.meta)
        place = Place(len(history), step, self.epochs, self.task.steps)
        expected = {name: part.template(place) for name, part in self._parts().items()}
        found = read_states(path, state, {**expected, "losses": {"sums": self.sums}})

        self.history, self.step, self.clock.seconds = history, step, seconds
        self.sums.copy_(found["losses"]["sums"])
        for name, part in self._parts().items():
            part.load_state_dict(found[name], place)

    def _checked(self, path: Path, meta: dict[str, Any]) -> tuple[int, float, list[dict[str, Any]]]:
        step, seconds, history = (meta.get(name) for name in ("step", "seconds", "history"))
        if type(step) is not int or not 0 <= step <= self.task.steps:
            raise damaged(path, f"its step is not a whole number from 0 to {self.task.steps}")
        if not is_number(seconds):
            raise damaged(path, "its time is not a number")
        problem = problem_of(history, (*self.task.losses, *self.task.numbers))
        problem = problem or self.task.problem_of(cast(History, history))
        if problem:
            raise damaged(path, problem)
        return step, cast(float, seconds), cast(list[dict[str, Any]], history)

    def _parts(self) -> dict[str, Stateful]:
        own: dict[str, Stateful] = {
            "model": Weights(self.task.model),
            "optimizer": self.optimisation,
        }
        return own | self.task.parts()

    def _states(self) -> dict[str, dict[str, Tensor]]:
        states = {name: part.state_dict() for name, part in self._parts().items()}
        return states | {"losses": {"sums": self.sums}}
