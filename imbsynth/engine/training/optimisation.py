"""An optimiser at work on the weights of a network."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from imbsynth.core.optimisers import Params, climb, decay_groups
from imbsynth.core.schedules import constant
from imbsynth.engine.training.shares import sum_gradients
from imbsynth.engine.training.states import Place
from imbsynth.runtime import ALONE, World

SPEED = "speed"  # of a group of weights, beside the options of the optimiser

Build = Callable[[Params], Optimizer]


class Optimisation:
    """Steps of any optimiser, with a learning rate that follows a schedule; a part of a run."""

    def __init__(
        self,
        parameters: Iterable[Parameter],
        build: Build,
        lr: float,
        schedule: Callable[[float], float] = constant,
        *,
        rho: float = 0.0,
        speed: Callable[[Parameter], float] = lambda _: 1.0,
        world: World = ALONE,
    ) -> None:
        """rho: how far sharpness-aware minimisation looks; 0 turns it off.

        speed: of a weight, its learning rate in units of that of the run. world: the processes
        whose losses are descended together, if each computes a share of them.
        """
        self.build, self.lr, self.schedule, self.rho = build, lr, schedule, rho
        self.world = world
        groups = []
        for rate, some in groupby(sorted(parameters, key=speed), speed):
            groups += [{**group, SPEED: rate} for group in decay_groups(some)]
        self.parameters: list[Parameter] = [w for group in groups for w in group["params"]]
        self.optimiser = build(groups)

    def step(
        self, loss: Tensor, progress: float, again: Callable[[], Tensor] | None = None
    ) -> None:
        """Descend a scalar loss, or this process's share of it, `progress` of the way through.

        again: computes the loss under other weights, for sharpness-aware minimisation.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = self.lr * group[SPEED] * self.schedule(progress)
        self._differentiate(loss)
        if self.rho and again is not None:
            self._look_up(again)
        self.optimiser.step()

    def _look_up(self, again: Callable[[], Tensor]) -> None:
        """Take the gradient where the loss is highest nearby (Foret et al., 2021, algorithm 1)."""
        before = climb(self.parameters, self.rho)
        self._differentiate(again())
        with torch.no_grad():
            for weight, value in zip(self.parameters, before, strict=True):
                weight.copy_(value)

    def _differentiate(self, loss: Tensor) -> None:
        """Give the weights the gradient of the loss of all processes."""
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        sum_gradients(self.parameters, self.world)

    def state_dict(self) -> dict[str, Tensor]:
        """The optimiser's tensors, each named by the number of its weight and its own name.

        Those of a weight that has had no gradient yet are zeros, which every optimiser begins with.
        """
        found: dict[str, Tensor] = {
            f"{index}.{name}": value
            for index, tensors in self.optimiser.state_dict()["state"].items()
            for name, value in tensors.items()
        }
        if found and len(self.optimiser.state) < len(self.parameters):
            missing = {n: value for n, value in self._tried().items() if n not in found}
            found |= {name: torch.zeros_like(value) for name, value in missing.items()}
        return found

    def template(self, place: Place) -> dict[str, Tensor]:
        """As after any step."""
        return self._tried() if place.started else {}

    def _tried(self) -> dict[str, Tensor]:
        """An optimiser of the kind is asked, with one weight to try it on."""
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
