"""An optimiser at work on the weights of a network."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from imbsynth.core.schedules import constant
from imbsynth.engine.training.parts import Place

Build = Callable[[Iterable[Parameter]], Optimizer]


class Optimisation:
    """Steps of any optimiser, with a learning rate that follows a schedule; a part of a run."""

    def __init__(
        self,
        parameters: Iterable[Parameter],
        build: Build,
        lr: float,
        schedule: Callable[[float], float] = constant,
    ) -> None:
        self.parameters = list(parameters)
        self.build, self.lr, self.schedule = build, lr, schedule
        self.optimiser = build(self.parameters)

    def step(self, loss: Tensor, progress: float) -> None:
        """Descend a scalar loss, `progress` of the way through the run."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.lr * self.schedule(progress)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()

    def state_dict(self) -> dict[str, Tensor]:
        """The optimiser's tensors, each named by the number of its weight and its own name."""
        return {
            f"{index}.{name}": value
            for index, tensors in self.optimiser.state_dict()["state"].items()
            for name, value in tensors.items()
        }

    def template(self, place: Place) -> dict[str, Tensor]:
        """As after any step: an optimiser of the kind is asked, with one weight to try it on."""
        if not place.started:
            return {}
        tried = Parameter(torch.zeros(2, 3, device=self.parameters[0].device))
        tried.grad = torch.ones_like(tried)
        optimiser = self.build([tried])
        optimiser.step()
        found: dict[str, Tensor] = optimiser.state_dict()["state"].get(0, {})
        return {
            f"{index}.{name}": weight.detach() if value.shape == tried.shape else value
            for index, weight in enumerate(self.parameters)
            for name, value in found.items()
        }

    def load_state_dict(self, tensors: dict[str, Tensor], _place: Place) -> None:
        """Let the optimiser load its tensors, those of a weight's shape in the weight's layout."""
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            index, _, name = key.partition(".")
            weight = self.parameters[int(index)]
            state.setdefault(int(index), {})[name] = _laid_out_like(weight, value)
        groups = self.optimiser.state_dict()["param_groups"]  # the options, which stay
        self.optimiser.load_state_dict({"state": state, "param_groups": groups})


def _laid_out_like(weight: Parameter, value: Tensor) -> Tensor:
    if value.shape != weight.shape:
        return value.clone()
    return torch.empty_like(weight, requires_grad=False).copy_(value)
