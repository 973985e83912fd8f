from __future__ import annotations

import pytest
import torch
from torch import nn

from imbsynth.configs import Keep
from imbsynth.engine.training.keeper import Keeper, kept_of


def test_of_equal_epochs_the_one_with_the_lowest_loss_is_kept_or_the_last() -> None:
    history = [
        {"epoch": 1, "f1_macro": 0.8, "val_loss": 0.1},
        {"epoch": 2, "f1_macro": 0.9, "val_loss": 0.5},
        {"epoch": 3, "f1_macro": 0.9, "val_loss": 0.2},
        {"epoch": 4, "f1_macro": 0.9, "val_loss": 0.2},
    ]
    assert kept_of(history, "best")["epoch"] == 3
    assert kept_of(history, "last")["epoch"] == 4


@pytest.mark.parametrize(("keep", "kept"), [("best", 2), ("last", 3)])
def test_the_weights_of_that_epoch_are_kept(keep: Keep, kept: int) -> None:
    model = nn.Linear(1, 1)
    keeper, history = Keeper(model, keep), []
    for epoch, score in enumerate([0.5, 0.7, 0.6], 1):
        nn.init.constant_(model.weight, epoch)
        history.append({"epoch": epoch, "f1_macro": score, "val_loss": 1.0})
        keeper.end_epoch(history)
    assert keeper.kept["weight"].item() == kept
    assert torch.equal(model.weight, torch.tensor([[3.0]]))
