"""The epoch of a run that is kept, and its weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from imbsynth.configs import Keep
from imbsynth.engine.training.states import Place, weights_now
from imbsynth.engine.training.task import History


class Keeper:
    """Holds the weights of the epoch that would be kept if none followed; a part of a run."""

    def __init__(self, model: nn.Module, keep: Keep) -> None:
        self.model, self.keep = model, keep
        self.kept: dict[str, Tensor] = {}

    def end_epoch(self, history: History) -> None:
        """Keep the present weights if the last epoch is the one to keep."""
        if kept_of(history, self.keep)["epoch"] == len(history):
            self.kept = weights_now(self.model)

    def state_dict(self) -> dict[str, Tensor]:
        """The weights of the epoch; none before an epoch is over."""
        return self.kept

    def template(self, place: Place) -> dict[str, Tensor]:
        """Those of the network, once an epoch is over."""
        return self.model.state_dict() if place.epoch else {}

    def load_state_dict(self, tensors: dict[str, Tensor], _place: Place) -> None:
        """Keep these weights, on the network's device."""
        now = self.model.state_dict()
        self.kept = {name: value.to(now[name].device) for name, value in tensors.items()}


def kept_of(history: History, keep: Keep) -> Mapping[str, Any]:
    """The last epoch, or the one with the best macro F1 on the validation images.

    Ties go to the lower validation loss, then to the earlier epoch: a few images of a rare class
    leave only a few values of F1, and an early epoch that was lucky would win against all later
    ones.
    """
    return history[-1] if keep == "last" else max(history, key=epoch_rank)


def epoch_rank(scores: Mapping[str, Any]) -> tuple[float, float]:
    """What is larger for better scores on the validation images."""
    return scores["f1_macro"], -scores["val_loss"]
