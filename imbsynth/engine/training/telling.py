"""What a person should know of a training of a classifier, before it and after it."""

from __future__ import annotations

import numpy as np

from imbsynth.configs import AosTrainConfig
from imbsynth.core.tables import LOSSES
from imbsynth.engine.events import Note, OnEvent
from imbsynth.engine.training.moves import minority
from imbsynth.engine.training.sets import Members

CHANCE = 0.1  # of the way from guessing to finding all: not clearly better than guessing


def tell_of_balance(config: AosTrainConfig, members: Members, on_event: OnEvent) -> None:
    """Say where the classes are balanced by nothing, or twice."""
    sizes = np.array([len(own) for own in members.values()], np.int64)
    if config.oversample == "aos" and not minority(sizes, config.minority_below).any():
        on_event(
            Note(
                "aos moves no image: no class has fewer images than "
                f"{config.minority_below:g} times the largest"
            )
        )
    if LOSSES[config.loss].balances and config.oversample != "none":
        on_event(
            Note(
                f"the loss {config.loss} makes up for the sizes of the classes, and so does "
                f"--oversample {config.oversample}: rare classes count twice (none is usual)"
            )
        )


def tell_of_chance(acsa: float, classes: int, on_event: OnEvent) -> None:
    """Say so if the classifier finds hardly more than guessing does."""
    chance = 1 / classes
    if acsa < chance + CHANCE * (1 - chance):
        on_event(
            Note(
                f"the classifier is hardly better than guessing: its mean recall on the validation "
                f"images is {acsa:.3f}, and guessing has {chance:.3f}; train for more epochs, "
                "or with another learning rate"
            )
        )
