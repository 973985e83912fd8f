"""What has a state in a run, and how far the run is."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from torch import Tensor, nn

from imbsynth.store.names import number_of


class Place(NamedTuple):
    """How far a run is."""

    epoch: int  # whole epochs done, so also the number of the present one, counted from 0
    step: int  # steps done in the present epoch
    epochs: int  # of the whole run
    steps: int  # per epoch

    @property
    def started(self) -> bool:
        """Whether a step has been taken."""
        return self.epoch > 0 or self.step > 0

    @property
    def done(self) -> int:
        """Steps taken, of all epochs."""
        return self.epoch * self.steps + self.step

    @property
    def words(self) -> str:
        """How far the run is, for people."""
        epochs = f"{self.epoch} of {number_of(self.epochs, 'epoch')}"
        return (
            f"{epochs} and {self.step} of {number_of(self.steps, 'step')}" if self.step else epochs
        )

    @property
    def progress(self) -> float:
        """How much of the run is done, in [0, 1]."""
        return self.done / (self.epochs * self.steps)


class Stateful(Protocol):
    """A part of a run whose state decides what the next steps do."""

    def state_dict(self) -> dict[str, Tensor]:
        """Named tensors, not copied."""

    def template(self, place: Place) -> dict[str, Tensor]:
        """Tensors with the names, shapes and types of those that `state_dict` gives there."""

    def load_state_dict(self, tensors: dict[str, Tensor], place: Place) -> None:
        """Return to the state that these tensors, which fit the template, were saved in."""


class Weights:
    """The weights and statistics of a network."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model

    def state_dict(self) -> dict[str, Tensor]:
        """As the network names them."""
        return self.model.state_dict()

    def template(self, _place: Place) -> dict[str, Tensor]:
        """The same at every place."""
        return self.model.state_dict()

    def load_state_dict(self, tensors: dict[str, Tensor], _place: Place) -> None:
        """Copy into the tensors of the network, which keep their memory layouts.

        Another layout may round otherwise.
        """
        self.model.load_state_dict(tensors)


def weights_now(model: nn.Module) -> dict[str, Tensor]:
    """A copy of a network's weights and statistics, on its device."""
    return {name: value.clone() for name, value in model.state_dict().items()}
