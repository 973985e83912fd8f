"""A moving average of the weights of a network, which is judged and kept in their place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from imbsynth.engine.training.states import Place, weights_now


class Average:
    """a <- d a + (1 - d) w after every step, of weights and statistics; a part of a run.

    Polyak and Juditsky (1992). The decay is d = min(decay, (1 + t) / (10 + t)) at step t, as in
    TensorFlow: the first weights, which are random, are soon forgotten.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model, self.decay = model, decay
        self.average: dict[str, Tensor] = {}  # none before the first step

    def update(self, place: Place) -> None:
        """Take the weights in, after the step that was taken at `place`."""
        if not self.average:
            self.average = weights_now(self.model)
            return
        now = self.model.state_dict()
        real = [name for name, value in self.average.items() if value.is_floating_point()]
        decay = decay_at(self.decay, place.done)
        torch._foreach_lerp_(
            [self.average[name] for name in real], [now[name] for name in real], 1 - decay
        )
        for name in self.average.keys() - set(real):  # counters
            self.average[name].copy_(now[name])

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Within the block, the network has the average as its weights."""
        now = weights_now(self.model)
        self.model.load_state_dict(self.average)
        try:
            yield
        finally:
            self.model.load_state_dict(now)

    def state_dict(self) -> dict[str, Tensor]:
        """The average; nothing before the first step."""
        return self.average

    def template(self, place: Place) -> dict[str, Tensor]:
        """As the network names its weights, once a step was taken."""
        return self.model.state_dict() if place.started else {}

    def load_state_dict(self, tensors: dict[str, Tensor], _place: Place) -> None:
        """Go on from these, in the memory layout of the weights."""
        self.average = weights_now(self.model) if tensors else {}
        for name, value in tensors.items():
            self.average[name].copy_(value)


def decay_at(decay: float, step: int) -> float:
    """d of step t, counted from 0."""
    return min(decay, (1 + step) / (10 + step))
