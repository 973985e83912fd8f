"""Schedules of the learning rate: from the progress of training to a factor of the first rate."""

from __future__ import annotations

import math


def cosine(progress: float) -> float:
    """1/2 (1 + cos(pi t)) for t in [0, 1]: from 1 to 0 (Loshchilov and Hutter, 2017)."""
    return (1 + math.cos(math.pi * progress)) / 2


def constant(progress: float) -> float:
    """1 at any time."""
    return 1.0
