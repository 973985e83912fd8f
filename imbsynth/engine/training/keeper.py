"""The best epoch of a run, and its weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from imbsynth.engine.training.parts import Place, weights_now
from imbsynth.engine.training.task import History


class Keeper:
    """Holds the weights of the best epoch so far; a part of a run."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.best: dict[str, Tensor] = {}

    def end_epoch(self, history: History) -> None:
        """Keep the present weights if the last epoch is the best so far."""
        if best_of(history)["epoch"] == len(history):
            self.best = weights_now(self.model)

    def state_dict(self) -> dict[str, Tensor]:
        """The weights of the best epoch; none before an epoch is over."""
        return self.best

    def template(self, place: Place) -> dict[str, Tensor]:
        """Those of the network, once an epoch is over."""
        return self.model.state_dict() if place.epoch else {}

    def load_state_dict(self, tensors: dict[str, Tensor], _place: Place) -> None:
        """Keep these weights, on the network's device."""
        now = self.model.state_dict()
        self.best = {name: value.to(now[name].device) for name, value in tensors.items()}


def best_of(history: History) -> Mapping[str, Any]:
    """The epoch with the best macro F1 on the validation images; ties go to the lower loss.

    A few images of a rare class leave only a few values of F1, and an early epoch that was lucky
    would win against all later ones: so the lower validation loss decides, then the earlier epoch.
    """
    return max(history, key=rank)


def rank(scores: Mapping[str, Any]) -> tuple[float, float]:
    """What is larger for better scores on the validation images."""
    return scores["f1_macro"], -scores["val_loss"]
