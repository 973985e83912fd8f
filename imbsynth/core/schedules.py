"""Schedules of the learning rate: from the progress of training to a factor of the first rate."""

from __future__ import annotations

import math
from collections.abc import Callable


def cosine(progress: float) -> float:
    """1/2 (1 + cos(pi t)) for t in [0, 1]: from 1 to 0 (Loshchilov and Hutter, 2017)."""
    return (1 + math.cos(math.pi * progress)) / 2


def constant(progress: float) -> float:
    """1 at any time."""
    return 1.0


def step(progress: float) -> float:
    """1, then 1/100 from 80 % and 1/10,000 from 90 % of the training (Cao et al., 2019)."""
    return 0.01 ** ((progress >= 0.8) + (progress >= 0.9))


def warmed_up(schedule: Callable[[float], float], share: float) -> Callable[[float], float]:
    """A rise from 0 to 1 in the first `share` of the training, then the schedule in the rest.

    Large steps on fresh weights may diverge (Goyal et al., 2017). share: in [0, 1).
    """

    def factor(progress: float) -> float:
        if progress < share:
            return progress / share
        return schedule((progress - share) / (1 - share))

    return factor if share else schedule
