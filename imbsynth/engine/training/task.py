"""What a run learns: the part of a training that differs from command to command."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

from torch import Tensor, nn

from imbsynth.engine.training.states import Place, Stateful
from imbsynth.runtime import World

Batch = TypeVar("Batch")
History = Sequence[Mapping[str, Any]]  # a line per epoch


class Task(ABC, Generic[Batch]):
    """Batches of a training set, and the losses of a network on them.

    Where several processes carry out a run, each draws the same batches, computes its share of
    their rows, and has the weights of all the others. What does not belong to rows, such as the
    state of a part, is the same in every process.
    """

    world: World  # the processes that share the work
    losses: tuple[str, ...]  # the names of what `compute` gives beside the total
    numbers: tuple[str, ...]  # of every epoch's line in the log
    images: int  # per epoch
    steps: int  # per epoch
    model: nn.Module

    @abstractmethod
    def batches(self, place: Place) -> Iterator[Batch]:
        """What is left of the present epoch; the same whether or not it was interrupted."""

    @abstractmethod
    def compute(self, batch: Batch, place: Place) -> tuple[Tensor, Tensor]:
        """The loss to descend, a scalar, and one value for each of `losses`.

        What the share of this process contributes to them: the loss of the batch is the sum over
        all processes.
        """

    def parts(self) -> dict[str, Stateful]:
        """What has a state beside the network and the optimiser, by name."""
        return {}

    def end_step(self, place: Place) -> None:
        """Do what follows a step of the optimiser; `place` is where it was taken."""

    def end_epoch(self, history: list[dict[str, Any]]) -> None:
        """Complete the last line of the history when its epoch is over."""

    def sheet(self, _history: History) -> Callable[[Path], None] | None:
        """What draws the pictures of a run that goes on, after an epoch for which that is due."""
        return None

    def is_over(self, _history: History) -> bool:
        """Whether no further epoch would help."""
        return False

    def problem_of(self, _history: History) -> str | None:
        """What is wrong with lines that have all `numbers`, if they are not of such a run."""
        return None
